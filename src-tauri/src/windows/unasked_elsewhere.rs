//! Windows that come unasked: a window made without the focus comes without it.

use tauri::{AppHandle, WebviewWindow, WebviewWindowBuilder, Wry};

type Builder<'a> = WebviewWindowBuilder<'a, Wry, AppHandle>;

/// It may be shown as soon as it is there.
pub const fn unshown(builder: Builder<'_>) -> Builder<'_> {
    builder
}

/// It is shown already.
#[allow(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "elsewhere it is shown here"
)]
pub fn show(_window: WebviewWindow) -> tauri::Result<()> {
    Ok(())
}
