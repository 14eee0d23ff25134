//! A bot that runs inside the test, so that the test can reach its parts.

use std::{ffi::OsString, net::SocketAddr, sync::Arc};

use bot::{
    server::{App, Bot},
    settings::Settings,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::JoinHandle,
};

/// It stops when it is dropped.
pub(crate) struct Inside {
    pub(crate) address: SocketAddr,
    pub(crate) warnings: Vec<String>,
    pub(crate) runtime: Runtime,
    app: Option<Arc<App>>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<bool>>,
}

impl Inside {
    /// Starts it on a free port with these settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let find = |name: &str| match name {
            "PORT" => Some(OsString::from("0")),
            _ => settings.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)),
        };
        let settings = Settings::read(find).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let bot = runtime.block_on(Bot::start(settings)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, app, warnings) = (bot.address(), bot.app(), bot.warnings().to_vec());
        let serving = runtime.spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            bot.serve(stopped).await.unwrap()
        });
        Self { address, app: Some(app), warnings, runtime, stop: Some(stop), serving: Some(serving) }
    }

    /// The parts of the bot.
    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Connections to the database are closed by a task of the runtime.
        let _inside = self.runtime.enter();
        drop(self.app.take());
        if let Some(serving) = self.serving.take() {
            let ended = self.runtime.block_on(serving);
            if !std::thread::panicking() {
                assert!(ended.unwrap(), "requests were cut off");
            }
        }
    }
}
