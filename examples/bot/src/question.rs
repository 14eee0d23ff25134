//! What a message asks, in the one form that is looked up and cached: `Opening hours?` and `opening  HOURS` are the same.

/// The longest text of a message, in characters: Telegram's own limit.
pub const LONGEST_TEXT: usize = 4096;

/// More words than this add nothing to a search.
const MOST_WORDS: usize = 16;
const LONGEST_WORD: usize = 32;

/// Words that say nothing about the subject.
const EMPTY_WORDS: [&str; 37] = [
    "a", "about", "an", "and", "any", "are", "at", "be", "can", "could", "do", "does", "for", "have",
    "hello", "how", "i", "in", "is", "it", "know", "me", "my", "of", "on", "or", "please", "question",
    "tell", "the", "there", "to", "we", "what", "when", "with", "you",
];

/// A question that is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// `/start`.
    Start,
    /// `/help`.
    Help,
    /// `/price ITEM`; the item in small letters, one space between its words.
    Price(String),
    /// Anything else: its words in small letters, without those that say nothing.
    Words(Vec<String>),
}

/// What is to be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Look it up.
    Ask(Question),
    /// Nothing to look up: say this.
    Say(&'static str),
}

impl Request {
    /// Reads the text of a message.
    #[must_use]
    pub fn read(text: &str) -> Self {
        // Bytes first: counting the characters of every message would cost more than reading it.
        if text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT {
            return Self::Say("That is too long for me. Please ask in a sentence or two.");
        }
        let text = text.trim();
        match text.strip_prefix('/') {
            Some(command) => Self::command(command),
            None => match words(text) {
                words if words.is_empty() => {
                    Self::Say("Please write a question, or /help to see what I can do.")
                }
                words => Self::Ask(Question::Words(words)),
            },
        }
    }

    fn command(text: &str) -> Self {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // In groups a command names its bot: `/help@corner_cafe_bot`.
        let name = name.split('@').next().unwrap_or(name);
        match name.to_ascii_lowercase().as_str() {
            "start" => Self::Ask(Question::Start),
            "help" => Self::Ask(Question::Help),
            "price" => match item(rest) {
                item if item.is_empty() => {
                    Self::Say("Which price? Write /price and the item, such as /price espresso.")
                }
                item => Self::Ask(Question::Price(item)),
            },
            _ => Self::Say("I do not know that command. /help shows those that I know."),
        }
    }
}

impl Question {
    /// Its name in every cache; at most some 550 characters, whatever was written.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Help => "help".to_owned(),
            Self::Price(item) => format!("price:{item}"),
            Self::Words(words) => format!("words:{}", words.join(" ")),
        }
    }
}

fn item(text: &str) -> String {
    let mut item = String::new();
    for word in text.split_whitespace().take(MOST_WORDS) {
        if !item.is_empty() {
            item.push(' ');
        }
        item.extend(word.chars().take(LONGEST_WORD).flat_map(char::to_lowercase));
    }
    item
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word: String = word.chars().take(LONGEST_WORD).flat_map(char::to_lowercase).collect();
        if !EMPTY_WORDS.contains(&word.as_str()) && !words.contains(&word) {
            words.push(word);
        }
        if words.len() == MOST_WORDS {
            break;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Question, Request};

    fn key(text: &str) -> String {
        match Request::read(text) {
            Request::Ask(question) => question.key(),
            Request::Say(text) => format!("say {text}"),
        }
    }

    #[test]
    fn the_same_question_has_the_same_key_however_it_is_written() {
        assert_eq!(key("When do you open on Sunday?"), key("  when DO you open,  on sunday"));
        assert_eq!(key("/price  Oat   LATTE "), "price:oat latte");
        assert_eq!(key("/help@corner_cafe_bot"), "help");
        assert_eq!(key("/START now"), "start");
    }

    #[test]
    fn what_asks_nothing_is_answered_without_looking_it_up() {
        for text in ["", "   ", "?!", "how is it", "/price", "/price   ", "/unknown", "/"] {
            assert!(key(text).starts_with("say "), "{text:?}: {}", key(text));
        }
    }

    #[test]
    fn a_key_stays_short_whatever_was_written() {
        let long = "extraordinarily_long_word_without_end_".repeat(100);
        for text in [format!("/price {long}"), long.clone(), "ẞİ".repeat(2000), "one two ".repeat(512)] {
            assert!(key(&text).len() < 2_200, "{}", key(&text).len());
        }
        assert!(key(&"x ".repeat(4000)).starts_with("say That is too long"));
        assert_eq!(Request::read("x y x y"), Request::Ask(Question::Words(vec!["x".into(), "y".into()])));
    }
}
