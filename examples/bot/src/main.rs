//! The door: settings from the environment, a runtime, signals, exit codes.
//!
//! Exit codes: 0 after an orderly stop, 1 when it could not start or requests were cut off, 2 for bad settings.

use std::{env, future::Future, process::ExitCode};

use bot::{server::Bot, settings::Settings};
use tokio::runtime::{Builder, Runtime};

#[expect(clippy::print_stderr, reason = "a server's errors go to stderr")]
fn main() -> ExitCode {
    let settings = match Settings::read(|name| env::var_os(name)) {
        Ok(settings) => settings,
        Err(mistake) => {
            eprintln!("bot: {mistake}");
            return ExitCode::from(2);
        }
    };
    let finished = runtime(&settings).map_err(|cause| format!("could not start the runtime: {cause}"));
    match finished.and_then(|runtime| runtime.block_on(run(settings))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bot: {message}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(settings: &Settings) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = settings.workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says where it listens, and what it does without"
)]
async fn run(settings: Settings) -> Result<(), String> {
    // Before it says that it is ready: a signal that follows at once must find its handler.
    let stop = stop_signal().map_err(|cause| format!("could not listen for signals: {cause}"))?;
    let drain = settings.drain;
    let bot = Bot::start(settings).await.map_err(|error| error.to_string())?;
    for warning in bot.warnings() {
        eprintln!("bot: {warning}");
    }
    println!("listening on http://{}", bot.address());
    if bot.serve(stop).await.map_err(|error| error.to_string())? {
        return Ok(());
    }
    Err(format!(
        "stopped with requests unanswered: they took longer than {} s (DRAIN_S)",
        drain.as_secs_f64()
    ))
}

/// Ends when the process is asked to stop: SIGTERM or SIGINT.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop: Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
