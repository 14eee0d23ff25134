//! The farthest layer: answers to what everybody asks, worked out before the first request and never forgotten.

use std::{collections::HashMap, sync::Arc};

use crate::{
    knowledge::{Error, Knowledge},
    question::{Question, Request},
};

/// Answers by the key of their question.
#[derive(Debug, Default)]
pub struct Precomputed {
    answers: HashMap<String, Arc<str>>,
}

impl Precomputed {
    /// Works out the commands without an argument and the popular questions.
    ///
    /// # Errors
    /// The knowledge base could not be asked.
    pub async fn work_out(knowledge: &Knowledge) -> Result<Self, Error> {
        let mut questions = vec![Question::Start, Question::Help];
        for text in knowledge.popular().await? {
            if let Request::Ask(question) = Request::read(&text) {
                questions.push(question);
            }
        }
        let mut answers = HashMap::new();
        for question in questions {
            answers.insert(question.key(), Arc::from(knowledge.answer(&question).await?));
        }
        Ok(Self { answers })
    }

    /// The answer, if it is here.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<str>> {
        self.answers.get(key).cloned()
    }
}
