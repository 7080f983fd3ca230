//! Colour, or none. Whoever calls knows whether there is a terminal and what `NO_COLOR` says.

/// Whether text is coloured. Nothing is told by colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self { on: false };
    /// Colour.
    pub const COLOUR: Self = Self { on: true };

    /// What matters.
    pub fn bold(self, text: impl AsRef<str>) -> String {
        self.with("1", text.as_ref())
    }

    /// What is there for completeness.
    pub fn dim(self, text: impl AsRef<str>) -> String {
        self.with("2", text.as_ref())
    }

    /// What is as it should be.
    pub fn good(self, text: impl AsRef<str>) -> String {
        self.with("32", text.as_ref())
    }

    /// What takes time.
    pub fn waiting(self, text: impl AsRef<str>) -> String {
        self.with("33", text.as_ref())
    }

    /// What is not as it should be.
    pub fn bad(self, text: impl AsRef<str>) -> String {
        self.with("31", text.as_ref())
    }

    /// What to do about it.
    pub fn remedy(self, text: impl AsRef<str>) -> String {
        self.with("36", text.as_ref())
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
