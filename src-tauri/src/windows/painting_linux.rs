//! How WebKit paints. With a graphics card it paints each layer once and has the card put them together. Where there is none,
//! OpenGL would be computed: a call's window then took 150 MB more and painted fewer pictures than when WebKit paints the page
//! as a whole, and only where it has changed.

use std::fs;

use gtk::glib;

/// WebKit's switch for that.
const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// To be called before there are other threads. Whoever has set the switch themselves is obeyed.
pub fn choose() {
    if !has_graphics_card() && glib::setenv(SWITCH, "1", false).is_err() {
        tracing::debug!("painting without a graphics card stays slow");
    }
}

/// Whether the system lets programs compute on one.
fn has_graphics_card() -> bool {
    let devices = fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    devices
        .map(|device| device.file_name())
        .any(|name| name.to_string_lossy().starts_with("renderD"))
}
