//! Values with a short and a long form: a number or text for the usual case, a table for the rest.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// A command: a text of words, or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// In one text.
    Text(String),
    /// Word for word.
    Words(Vec<String>),
}

/// A way to be ready; exactly one key is meant to be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadyTable {
    /// A path on the service, or a URL, that answers with a status below 400.
    pub url: Option<String>,
    /// The port of `url` accepts connections.
    pub port: Option<bool>,
    /// A regular expression that a line of its output matches.
    pub log: Option<String>,
}

/// Rows of data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataTable {
    /// The file.
    pub file: Option<String>,
    /// Whether rows are drawn at `random` (the default) or taken in the order of the `file`, from its start again after its end.
    pub order: Option<Order>,
}

/// How rows are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Drawn by the seed.
    Random,
    /// In the file's order.
    File,
}

/// Where a value is; exactly one key is meant to be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureTable {
    /// A JSONPath into the body: `$.user.id`.
    pub json: Option<String>,
    /// A regular expression over the body; its first group counts, or else the whole match.
    pub regex: Option<String>,
    /// The name of a header.
    pub header: Option<String>,
}

/// A metric of your own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FormulaTable {
    /// The formula: `hits / (hits + misses)`.
    pub formula: Option<String>,
    /// Which way is better (default: `higher` for a name that ends with `hit_rate` or `hit_ratio`, else `lower`).
    pub direction: Option<Direction>,
    /// Its unit, for display (default: none, a share).
    pub unit: Option<String>,
}

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Smaller values are better.
    Lower,
    /// Larger values are better.
    Higher,
}

/// What an answer must look like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectTable {
    /// Its status.
    pub status: Option<Statuses>,
    /// A regular expression that its body matches.
    pub body: Option<String>,
}

/// Statuses as they are written: `200`, `"2xx"`, `"200-204"`, or a list of these. Ranges with both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(pub Vec<(u16, u16)>);

/// A value that has a text as its short form.
pub trait Short: Sized {
    /// What its long form is called in a message.
    const EXPECTED: &'static str;
    /// The value of the short form.
    fn short(text: String) -> Self;
}

/// A value in its short or long form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Either<T>(pub T);

/// `ready`.
pub type Ready = Either<ReadyTable>;
/// `data`.
pub type Data = Either<DataTable>;
/// `capture`.
pub type Capture = Either<CaptureTable>;
/// `metrics`.
pub type Formula = Either<FormulaTable>;

impl Short for ReadyTable {
    const EXPECTED: &'static str = "a path, or one of `{ url = … }`, `{ port = true }` and `{ log = … }`";
    fn short(text: String) -> Self {
        Self { url: Some(text), ..Self::default() }
    }
}

impl Short for DataTable {
    const EXPECTED: &'static str = "a file's name, or `{ file = …, order = … }`";
    fn short(text: String) -> Self {
        Self { file: Some(text), ..Self::default() }
    }
}

impl Short for CaptureTable {
    const EXPECTED: &'static str =
        "a JSONPath, or one of `{ json = … }`, `{ regex = … }` and `{ header = … }`";
    fn short(text: String) -> Self {
        Self { json: Some(text), ..Self::default() }
    }
}

impl Short for FormulaTable {
    const EXPECTED: &'static str = "a formula, or `{ formula = …, direction = …, unit = … }`";
    fn short(text: String) -> Self {
        Self { formula: Some(text), ..Self::default() }
    }
}

struct EitherVisitor<T>(PhantomData<T>);

impl<'de, T: Short + Deserialize<'de>> Visitor<'de> for EitherVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::short(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Short + Deserialize<'de>> Deserialize<'de> for Either<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherVisitor(PhantomData)).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Either<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrText", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"type": "string"}, table]})
    }
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = Command;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a command as a text or as a list of words")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Command, E> {
        Ok(Command::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Command, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Command::Words(words))
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CommandVisitor)
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a command: a text of words, or a list of them",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        })
    }
}

/// One status or range of them.
fn range(text: &str) -> Result<(u16, u16), String> {
    let number = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (100..=999).contains(code));
    let found = match text.split_once('-') {
        Some((low, high)) => number(low).zip(number(high)).filter(|(low, high)| low <= high),
        None => match text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            Some(hundred) => {
                hundred.parse().ok().filter(|n| (1..=5).contains(n)).map(|n: u16| (n * 100, n * 100 + 99))
            }
            None => number(text).map(|code| (code, code)),
        },
    };
    found.ok_or_else(|| format!("`{text}` is no status: write `200`, `\"2xx\"` or `\"200-204\"`"))
}

struct StatusVisitor;

impl<'de> Visitor<'de> for StatusVisitor {
    type Value = Vec<(u16, u16)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a status such as `200`, `\"2xx\"` or `\"200-204\"`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        range(text).map(|range| vec![range]).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Statuses(more)) = list.next_element()? {
            all.extend(more);
        }
        if all.is_empty() { Err(de::Error::custom("the list of statuses is empty")) } else { Ok(all) }
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor).map(Self)
    }
}

fn status_schema() -> serde_json::Value {
    let one = serde_json::json!([
        {"type": "integer", "minimum": 100, "maximum": 999},
        {"type": "string", "pattern": "^([1-5](xx|XX)|[1-9][0-9]{2}(-[1-9][0-9]{2})?)$"}
    ]);
    let list = serde_json::json!({"type": "array", "minItems": 1, "items": {"anyOf": one.clone()}});
    let mut forms = one;
    if let Some(forms) = forms.as_array_mut() {
        forms.push(list);
    }
    forms
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a status: 200, \"2xx\", \"200-204\", or a list of these",
            "anyOf": status_schema()
        })
    }
}

/// `expect`: statuses, or a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect(pub ExpectTable);

struct ExpectVisitor;

impl<'de> Visitor<'de> for ExpectVisitor {
    type Value = ExpectTable;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a status, a list of them, or `{ status = …, body = … }`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ExpectTable, E> {
        StatusVisitor.visit_str(text).map(of_status)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ExpectTable, E> {
        StatusVisitor.visit_i64(number).map(of_status)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<ExpectTable, E> {
        StatusVisitor.visit_u64(number).map(of_status)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ExpectTable, A::Error> {
        StatusVisitor.visit_seq(list).map(of_status)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ExpectTable, A::Error> {
        ExpectTable::deserialize(MapAccessDeserializer::new(map))
    }
}

fn of_status(ranges: Vec<(u16, u16)>) -> ExpectTable {
    ExpectTable { status: Some(Statuses(ranges)), body: None }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectVisitor).map(Self)
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ExpectTable>();
        // The table first: it is the one whose keys a reader of the schema can suggest.
        json_schema!({"anyOf": [table, generator.subschema_for::<Statuses>()]})
    }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn statuses_are_written_as_a_number_a_hundred_or_a_range() {
        assert_eq!(range("200"), Ok((200, 200)));
        assert_eq!(range("2xx"), Ok((200, 299)));
        assert_eq!(range("200-204"), Ok((200, 204)));
        for bad in ["", "6xx", "xx", "20", "204-200", "200-", "-200", "2x", "1000", "+200-300x", "ok"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
