//! Ctrl-C and SIGTERM.

use tokio::sync::mpsc;

/// Delivers each request to stop. The first one ends what goes on in good order; who does not want to wait sends another.
pub struct Signals(mpsc::UnboundedReceiver<()>);

impl Signals {
    /// Listens from now on. The third request ends the process at once.
    pub fn listen() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for _ in 0..2 {
                asked_to_stop().await;
                let _ = sender.send(());
            }
            asked_to_stop().await;
            std::process::exit(130);
        });
        Self(receiver)
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}
