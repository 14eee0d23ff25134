//! Mistakes by the path of their key, so that a reader of the file can find the line.

use std::fmt;

/// One step on the way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The key of a table.
    Name(String),
    /// The row of a list, from 0.
    Row(usize),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where it is; the last keys may be missing in the file.
    pub path: Vec<Key>,
    /// What is wrong, key left out.
    pub message: String,
}

impl Trouble {
    /// The key as people write it: `load.request.path`.
    #[must_use]
    pub fn key(&self) -> String {
        let names: Vec<&str> = self
            .path
            .iter()
            .filter_map(|key| match key {
                Key::Name(name) => Some(name.as_str()),
                Key::Row(_) => None,
            })
            .collect();
        names.join(".")
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key `{}`: {}", self.key(), self.message)
    }
}

/// Gathers mistakes below one place of the file.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    place: Vec<Key>,
    found: Vec<Trouble>,
}

impl Troubles {
    /// Goes one row deeper for the time of `within`: the row `index` of the list `name`.
    pub(super) fn row<T>(&mut self, name: &str, index: usize, within: impl FnOnce(&mut Self) -> T) -> T {
        self.place.extend([Key::Name(name.to_owned()), Key::Row(index)]);
        let result = within(self);
        self.place.truncate(self.place.len() - 2);
        result
    }

    /// [`Troubles::row`] for a list within a table: the row `index` of `table.name`.
    pub(super) fn row_of<T>(
        &mut self,
        table: &str,
        name: &str,
        index: usize,
        within: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.place.push(Key::Name(table.to_owned()));
        let result = self.row(name, index, within);
        self.place.pop();
        result
    }

    /// Whether this place is a row of such a list.
    pub(super) fn is_within(&self, name: &str) -> bool {
        self.place.iter().any(|key| matches!(key, Key::Name(list) if list == name))
    }

    /// A mistake at a key of this place; an empty key is the place itself.
    pub(super) fn add(&mut self, key: &str, message: impl Into<String>) {
        self.add_at(&[key], message);
    }

    /// A mistake some keys deeper.
    pub(super) fn add_at(&mut self, keys: &[&str], message: impl Into<String>) {
        let keys = keys.iter().filter(|key| !key.is_empty()).map(|key| Key::Name((*key).to_owned()));
        let path = self.place.iter().cloned().chain(keys).collect();
        self.found.push(Trouble { path, message: message.into() });
    }

    /// The value, or nothing with its mistake noted.
    pub(super) fn noted<T>(&mut self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(key, message)).ok()
    }

    pub(super) fn into_found(self) -> Vec<Trouble> {
        self.found
    }
}
