//! The deliberate faults do what they say, or no test of a gate could rely on them.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    http::{ask, metric},
    inside::Inside,
    wait_until,
};

#[test]
fn a_delay_waits_and_extra_work_works() {
    for setting in [("DELAY_MS", "80"), ("EXTRA_WORK_US", "80000")] {
        let bot = Inside::start(&[setting]);
        let start = Instant::now();
        ask(bot.address, "/start");
        assert!(start.elapsed() >= Duration::from_millis(80), "{setting:?}");
    }
}

#[test]
fn delayed_messages_are_in_flight_together() {
    let bot = Inside::start(&[("DELAY_MS", "3000")]);
    let address = bot.address;
    let clients: Vec<_> = (0..8).map(|_| thread::spawn(move || ask(address, "/start"))).collect();
    wait_until("more than one is in flight", || metric(address, "bot_in_flight") > 1);
    clients.into_iter().for_each(|client| drop(client.join().unwrap()));
    assert_eq!(metric(address, "bot_in_flight"), 0);
}

#[cfg(target_os = "linux")]
mod memory {
    use crate::support::{http::ask, process};

    fn resident_bytes(pid: u32) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    #[test]
    fn a_leak_grows_with_every_message_and_without_it_nothing_does() {
        let grown = |settings: &[(&str, &str)]| {
            let (bot, address) = process::start(settings);
            ask(address, "/start");
            let before = resident_bytes(bot.0.id());
            (0..40).for_each(|_| drop(ask(address, "/start")));
            resident_bytes(bot.0.id()).saturating_sub(before)
        };
        let leaked = grown(&[("LEAK_BYTES_PER_REQUEST", "1000000")]);
        assert!(leaked > 38_000_000, "{leaked}");
        let sound = grown(&[]);
        assert!(sound < 5_000_000, "{sound}");
    }

    #[test]
    fn extra_memory_is_resident_from_the_start() {
        let (plain, _) = process::start(&[]);
        let (heavy, _) = process::start(&[("RSS_EXTRA_MB", "50")]);
        let more = resident_bytes(heavy.0.id()).saturating_sub(resident_bytes(plain.0.id()));
        assert!((45_000_000..55_000_000).contains(&more), "{more}");
    }
}
