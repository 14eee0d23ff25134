//! The one next step that an error offers its reader.

/// An error that knows what its reader should do next.
///
/// The text is one imperative sentence without a full stop, printed after `help: `.
pub trait Hint {
    /// The next step, or `None` when there is nothing useful to say.
    fn hint(&self) -> Option<String>;
}
