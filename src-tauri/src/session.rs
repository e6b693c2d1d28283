//! What the person's session on this computer is like.

/// Whether other programs' windows and keys are out of reach: Wayland lets no program lay a window over others, place it, or
/// hear keys that are pressed elsewhere.
#[must_use]
pub fn is_wayland() -> bool {
    is_wayland_by(|name| std::env::var(name).ok())
}

fn is_wayland_by(variable: impl Fn(&str) -> Option<String>) -> bool {
    let says = |name, what: fn(&str) -> bool| variable(name).is_some_and(|value| what(&value));
    let kind = says("XDG_SESSION_TYPE", |kind| kind == "wayland");
    kind || says("WAYLAND_DISPLAY", |display| !display.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(name: &'static str, value: &'static str) -> bool {
        is_wayland_by(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn a_session_says_what_it_is() {
        assert!(is("XDG_SESSION_TYPE", "wayland"));
        assert!(is("WAYLAND_DISPLAY", "wayland-0"));
        assert!(!is("XDG_SESSION_TYPE", "x11"));
        assert!(!is("WAYLAND_DISPLAY", ""));
        assert!(!is_wayland_by(|_| None));
    }
}
