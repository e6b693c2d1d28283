//! GTK's clipboard, which is that of X11 and of Wayland. It belongs to the main thread.

use gtk::gdk::SELECTION_CLIPBOARD;
use tauri::AppHandle;
use tokio::sync::oneshot;

pub async fn read(app: &AppHandle) -> Option<String> {
    let (say, said) = oneshot::channel();
    let ask = move || {
        let clipboard = gtk::Clipboard::get(&SELECTION_CLIPBOARD);
        clipboard.request_text(move |_, text| {
            let _ = say.send(text.map(str::to_owned));
        });
    };
    app.run_on_main_thread(ask).ok()?;
    said.await.ok()?
}

pub async fn write(app: &AppHandle, text: String) -> Option<()> {
    let (say, said) = oneshot::channel();
    let write = move || {
        let clipboard = gtk::Clipboard::get(&SELECTION_CLIPBOARD);
        clipboard.set_text(&text);
        // It outlives the application where the desktop keeps what was copied.
        clipboard.store();
        let _ = say.send(());
    };
    app.run_on_main_thread(write).ok()?;
    said.await.ok()
}
