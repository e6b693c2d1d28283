//! Who may do what: for every end point and every message, what each kind of person hears. Neither table may lack a row: they
//! are held against the router's own source and the protocol's own types.

#[path = "../support/mod.rs"]
mod support;

mod end_points;
mod messages;
mod people;
