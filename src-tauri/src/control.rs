//! Orders from outside the window: `vireo-cli ctl`, macro keys, scripts.

use std::sync::{Arc, Weak};

use tokio_util::task::AbortOnDropHandle;
use vireo_client::{
    control::{Answer, Control, Order, Refusal},
    paths::Profile,
};

use crate::app::App;

/// Takes orders for as long as the handle is kept; none where the system gives no socket, which takes nothing else away.
pub fn listen(app: &Arc<App>, profile: &Profile) -> Option<AbortOnDropHandle<()>> {
    let control = Control::listen(profile)
        .inspect_err(|error| tracing::warn!(%error, "nobody can give orders from outside"))
        .ok()?;
    let app = Arc::downgrade(app);
    let serve = control.serve(async move |order| obey(&app, order).await);
    Some(AbortOnDropHandle::new(tokio::spawn(serve)))
}

async fn obey(app: &Weak<App>, order: Order) -> Answer {
    let Some(app) = app.upgrade() else {
        return Err(Refusal::NoCall);
    };
    let Ok(client) = app.client() else {
        return Err(Refusal::NoCall);
    };
    let done = client.obey(order).await?;
    if order == Order::Answer {
        let call = client.view().borrow().call.clone();
        app.show_answered_from_outside(call.map(|call| call.call_id));
    }
    Ok(done)
}
