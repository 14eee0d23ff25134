//! What a name stands for in a session: a captured value, else a column of the data, else a built-in.

use std::sync::Arc;

use minijinja::{Value, value::Object};

use super::compile::Compiled;
use crate::stats::random::Stream;

/// The names that are always there: `number` is the session's number, from 0; `seed` is the run's seed; `random` is a whole number
/// below 2⁵³, drawn once a session from the seed and the session's number.
pub const BUILT_IN: [&str; 3] = ["number", "seed", "random"];

/// Below this, every whole number survives a reader that keeps numbers as doubles (JSON in JavaScript).
const RANDOM_BELOW: u64 = 1 << 53;

/// The names of one session at one moment.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) script: Arc<Compiled>,
    pub(super) flow: usize,
    pub(super) number: u64,
    pub(super) row: usize,
    pub(super) captured: Arc<Vec<Option<Value>>>,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lookup(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.lookup(key)
    }
}

impl Names {
    fn lookup(&self, name: &str) -> Option<Value> {
        let flow = self.script.flows.get(self.flow)?;
        let captured = flow.captures.iter().position(|capture| capture == name);
        captured
            .and_then(|index| self.captured.get(index)?.clone())
            .or_else(|| flow.data.as_ref()?.table.value(self.row, name))
            .or_else(|| self.built_in(name))
    }

    fn built_in(&self, name: &str) -> Option<Value> {
        let seed = self.script.seed;
        match name {
            "number" => Some(Value::from(self.number)),
            "seed" => Some(Value::from(seed)),
            "random" => {
                let drawn = Stream::new(seed, "load-random", &[], self.number).below(RANDOM_BELOW);
                Some(Value::from(drawn))
            }
            _ => None,
        }
    }
}
