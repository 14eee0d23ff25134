//! The part of Telegram's Bot API that the bot speaks: an `Update` in, the reply to a webhook out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What Telegram posts. Everything that is not listed here is ignored, as new kinds of updates appear often.
#[derive(Debug, Deserialize)]
pub struct Update<'a> {
    /// Its number; it rises by one an update.
    pub update_id: i64,
    /// A new message.
    #[serde(borrow, default)]
    pub message: Option<Message<'a>>,
    /// A message whose text was changed; it is answered like a new one.
    #[serde(borrow, default)]
    pub edited_message: Option<Message<'a>>,
}

impl<'a> Update<'a> {
    /// The chat and the text to answer; `None` for a photo, a poll, a member who left, ….
    #[must_use]
    pub fn text(&self) -> Option<(i64, &Cow<'a, str>)> {
        let message = self.message.as_ref().or(self.edited_message.as_ref())?;
        Some((message.chat.id, message.text.as_ref()?))
    }
}

/// A message.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// Where it was written.
    pub chat: Chat,
    /// What was written; a photo has none.
    #[serde(borrow, default)]
    pub text: Option<Cow<'a, str>>,
}

/// A conversation.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Chat {
    /// Its number; negative for groups.
    pub id: i64,
}

/// The answer to a webhook: a call of the Bot API in the body, which saves a request of our own.
#[derive(Debug, Serialize)]
pub struct Reply<'a> {
    method: &'static str,
    chat_id: i64,
    text: &'a str,
}

impl<'a> Reply<'a> {
    /// Sends `text` to the chat.
    #[must_use]
    pub fn send_message(chat_id: i64, text: &'a str) -> Self {
        Self { method: "sendMessage", chat_id, text }
    }
}
