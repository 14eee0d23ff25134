//! A small chat-bot webhook server, as its users would write it: Telegram updates in, replies out.
//!
//! It exists to be put under load with Tollgate, so every part of it can be switched off or made worse by the environment
//! ([`settings`]). The way of a message: [`webhook`] → [`question`] → [`answers`] (the layers of [`cache`], then
//! [`knowledge`]) → reply.

pub mod answers;
pub mod burden;
pub mod cache;
pub mod flights;
pub mod knowledge;
pub mod metrics;
pub mod question;
pub mod server;
pub mod settings;
pub mod telegram;
pub mod webhook;
