//! Prepares what Tauri needs while the application is compiled.

use std::{fs, path::Path};

/// Shown when the application was compiled before its user interface was: a fresh clone must build with plain `cargo build`.
const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vireo</title>\
<p>The user interface has not been built. Run <code>cargo xtask run</code>, or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>.</p></html>\n";

fn main() {
    let dist = Path::new("ui/dist");
    let index = dist.join("index.html");
    if !index.exists() {
        fs::create_dir_all(dist).expect("ui/dist can be made");
        fs::write(&index, PLACEHOLDER).expect("ui/dist/index.html can be written");
    }
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    println!("cargo::rerun-if-changed=src-tauri/permissions");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("src-tauri/capabilities/**/*")
            .app_manifest(
                tauri_build::AppManifest::new()
                    .permissions_path_pattern("src-tauri/permissions/**/*"),
            ),
    )
    .expect("tauri.conf.json and the capabilities are valid");
}
