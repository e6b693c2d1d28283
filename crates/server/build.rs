//! The migrations are compiled in; a new one has to bring a new build about.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
