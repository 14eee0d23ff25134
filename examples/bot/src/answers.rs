//! From a question to its answer: the layers of the cache from the nearest to the farthest, then the knowledge base.

use std::sync::Arc;

use crate::{
    cache::{Found, Memory, Precomputed, Redis},
    flights::Flights,
    knowledge::{Error, Knowledge},
    metrics::{Gauges, Metrics},
    question::Question,
};

/// An answer, or why there is none; both can be shared by the requests that waited for it.
pub type Outcome = Result<Arc<str>, Arc<Error>>;

/// The layers; a layer that is switched off is `None`.
pub struct Answers {
    /// Answers in memory.
    pub memory: Option<Memory>,
    /// Answers in Redis.
    pub redis: Option<Redis>,
    /// Answers worked out beforehand.
    pub precomputed: Option<Precomputed>,
    /// Identical requests are answered once.
    pub flights: Option<Flights<Outcome>>,
    /// Where every answer comes from in the end.
    pub knowledge: Knowledge,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Answers {
    /// Answers a question.
    ///
    /// # Errors
    /// No layer had the answer and the knowledge base could not be asked.
    pub async fn answer(&self, question: &Question) -> Outcome {
        let key = question.key();
        if let Some(memory) = &self.memory {
            let found = memory.get(&key);
            self.metrics.memory.count(found.is_some());
            if let Some(answer) = found {
                self.metrics.cache_hits.add(1);
                return Ok(answer);
            }
        }
        let Some(flights) = &self.flights else { return self.work_out(&key, question).await };
        let landed = flights.run(&key, || self.lead(&key, question)).await;
        if !landed.led {
            self.metrics.shared.add(1);
        }
        landed.value
    }

    /// As the leader of a flight: the one before may have landed between our look into the memory and our boarding.
    async fn lead(&self, key: &str, question: &Question) -> Outcome {
        match self.memory.as_ref().and_then(|memory| memory.get(key)) {
            Some(answer) => {
                self.metrics.cache_hits.add(1);
                Ok(answer)
            }
            None => self.work_out(key, question).await,
        }
    }

    async fn work_out(&self, key: &str, question: &Question) -> Outcome {
        let cached = match self.ask_redis(key).await {
            Some(answer) => Some(answer),
            None => self.ask_precomputed(key),
        };
        let answer = if let Some(answer) = cached {
            self.metrics.cache_hits.add(1);
            answer
        } else {
            self.metrics.cache_misses.add(1);
            let answer: Arc<str> = Arc::from(self.knowledge.answer(question).await.map_err(Arc::new)?);
            if let Some(redis) = &self.redis {
                redis.put(key, &answer).await;
            }
            answer
        };
        if let Some(memory) = &self.memory {
            memory.put(key, &answer);
        }
        Ok(answer)
    }

    async fn ask_redis(&self, key: &str) -> Option<Arc<str>> {
        match self.redis.as_ref()?.get(key).await {
            Found::Answer(answer) => {
                self.metrics.redis.count(true);
                Some(answer)
            }
            Found::Nothing => {
                self.metrics.redis.count(false);
                None
            }
            Found::Away => None,
        }
    }

    fn ask_precomputed(&self, key: &str) -> Option<Arc<str>> {
        let found = self.precomputed.as_ref()?.get(key);
        self.metrics.precomputed.count(found.is_some());
        found
    }

    /// What the page shows beside the counters.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let pool = self.knowledge.pool_use();
        Gauges {
            pool_size: pool.size as u64,
            pool_in_use: pool.in_use as u64,
            pool_waiting: pool.waiting as u64,
            memory_entries: self.memory.as_ref().map_or(0, Memory::entries),
            redis_up: self.redis.as_ref().map(Redis::is_up),
        }
    }
}
