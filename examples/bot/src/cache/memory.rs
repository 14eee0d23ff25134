//! The nearest layer: answers in the memory of this process, bounded in number and in age.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

/// Answers by the key of their question.
#[derive(Debug, Clone)]
pub struct Memory {
    answers: Cache<String, Arc<str>>,
}

impl Memory {
    /// Keeps at most `entries` answers, none of them longer than `ttl`.
    #[must_use]
    pub fn new(entries: u64, ttl: Duration) -> Self {
        Self { answers: Cache::builder().max_capacity(entries).time_to_live(ttl).build() }
    }

    /// The answer, if it is here.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.answers.get(key)
    }

    /// Keeps an answer.
    pub fn put(&self, key: &str, answer: &Arc<str>) {
        self.answers.insert(key.to_owned(), Arc::clone(answer));
    }

    /// How many answers are here, roughly.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.answers.entry_count()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::Memory;

    #[test]
    fn it_holds_no_more_answers_than_it_may() {
        let memory = Memory::new(10, Duration::from_secs(60));
        for number in 0..1_000 {
            memory.put(&format!("key {number}"), &Arc::from("answer"));
        }
        memory.answers.run_pending_tasks();
        assert!(memory.entries() <= 10);
    }
}
