//! The forms of `${{ }}` that the action may use: contexts, `'text'`, `==`, `!=`, `&&`, `||`, brackets, `always()`.
//!
//! Anything else panics: a form that this cannot evaluate is one that the action must not use.

use serde_json::Value;

/// What an expression can see.
pub(crate) trait Contexts {
    /// The value of `inputs.base` or `steps.x.outputs.y`; nothing known is the empty string, as on GitHub.
    fn value(&self, path: &str) -> String;
}

/// A text with every `${{ … }}` in it replaced.
pub(crate) fn fill(text: &str, contexts: &dyn Contexts) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (inside, after) = after.split_once("}}").unwrap_or_else(|| panic!("no `}}}}` in {text}"));
        filled.push_str(before);
        filled.push_str(&evaluate(inside, contexts));
        rest = after;
    }
    filled + rest
}

/// Whether an `if:` holds; `always()` and comparisons count as `true` and the empty string.
pub(crate) fn holds(condition: &str, contexts: &dyn Contexts) -> bool {
    let value = evaluate(condition, contexts);
    !value.is_empty() && value != "false"
}

/// The value at a dotted path of a document, as GitHub turns it into text.
pub(crate) fn lookup(document: &Value, path: &str) -> String {
    let found = path.split('.').try_fold(document, |value, key| value.get(key));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn evaluate(text: &str, contexts: &dyn Contexts) -> String {
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0, contexts };
    let value = parser.either();
    assert_eq!(parser.at, tokens.len(), "`{text}` holds more than this understands");
    value
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let operator = ["==", "!=", "&&", "||", "(", ")"].into_iter().find(|sign| rest.starts_with(sign));
        let length = if let Some(sign) = operator {
            sign.len()
        } else if let Some(inside) = rest.strip_prefix('\'') {
            inside.find('\'').unwrap_or_else(|| panic!("no end of the text in `{text}`")) + 2
        } else {
            let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            assert!(length > 0, "`{text}` is no permitted expression");
            length
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [String],
    at: usize,
    contexts: &'a dyn Contexts,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        let taken = self.tokens.get(self.at).is_some_and(|token| token == sign);
        self.at += usize::from(taken);
        taken
    }

    fn either(&mut self) -> String {
        let mut value = self.both();
        while self.take("||") {
            let other = self.both();
            value = if value.is_empty() { other } else { value };
        }
        value
    }

    fn both(&mut self) -> String {
        let mut value = self.comparison();
        while self.take("&&") {
            let other = self.comparison();
            value = if value.is_empty() { value } else { other };
        }
        value
    }

    fn comparison(&mut self) -> String {
        let value = self.atom();
        let truth = |holds: bool| if holds { "true".to_owned() } else { String::new() };
        if self.take("==") {
            truth(value == self.atom())
        } else if self.take("!=") {
            truth(value != self.atom())
        } else {
            value
        }
    }

    fn atom(&mut self) -> String {
        if self.take("(") {
            let value = self.either();
            assert!(self.take(")"), "a bracket is open in {:?}", self.tokens);
            return value;
        }
        let token =
            self.tokens.get(self.at).unwrap_or_else(|| panic!("{:?} ends too soon", self.tokens)).clone();
        self.at += 1;
        if let Some(text) = token.strip_prefix('\'') {
            return text.trim_end_matches('\'').to_owned();
        }
        if token == "always" {
            assert!(self.take("(") && self.take(")"), "`always` is a function");
            return "true".into();
        }
        let permitted = [
            "inputs.",
            "steps.",
            "runner.",
            "matrix.",
            "github.event.",
            "github.token",
            "github.action_path",
        ];
        assert!(permitted.iter().any(|prefix| token.starts_with(prefix)), "`{token}` is not permitted");
        self.contexts.value(&token)
    }
}

#[test]
fn expressions_are_evaluated_as_on_github() {
    struct One;
    impl Contexts for One {
        fn value(&self, path: &str) -> String {
            if path == "inputs.a" { "x".into() } else { String::new() }
        }
    }
    assert_eq!(fill("[${{ inputs.b || inputs.a }}]", &One), "[x]");
    assert!(holds("always() && (inputs.b == 'y' || inputs.a == 'x')", &One));
    assert!(!holds("inputs.a != 'x'", &One));
    assert!(!holds("inputs.b", &One));
}
