//! What an answer is, and what it takes.

/// Memory that it holds all the time.
pub fn ballast() -> Vec<u8> {
    vec![1; 1 << 20]
}

/// Status and body of an answer; `number` counts all of them.
pub fn answer(path: &str, number: u64) -> (u16, String) {
    let _ = number;
    // Long beside what the generator may be late by on a busy machine.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let sum = work(20_000);
    (200, format!("{path} is fine, {}", sum % 2 + 1))
}

/// Work of so many small steps that no optimiser can shorten.
pub fn work(steps: u64) -> u64 {
    (0..steps).fold(7, |state, step| std::hint::black_box(state).rotate_left(5) ^ step)
}
