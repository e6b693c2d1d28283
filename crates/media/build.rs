//! Finds libvpx and compiles the few lines of C between it and us (`src/codec/vp8/vpx.c`).
//!
//! Where libvpx comes from: on Linux the distribution's package (libvpx-dev, libvpx-devel), on macOS Homebrew's, both found
//! by pkg-config; on Windows, or for a copy of one's own, `VPX_LIB_DIR` and `VPX_INCLUDE_DIR` (vcpkg: `vcpkg install libvpx`).

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/codec/vp8/vpx.c");
    println!("cargo::rerun-if-env-changed=VPX_LIB_DIR");
    println!("cargo::rerun-if-env-changed=VPX_INCLUDE_DIR");
    if env::var_os("CARGO_FEATURE_CODECS").is_some() {
        link_vpx();
    }
}

fn link_vpx() {
    let mut shim = cc::Build::new();
    shim.file("src/codec/vp8/vpx.c").warnings(true);
    if let (Ok(libraries), Ok(headers)) = (env::var("VPX_LIB_DIR"), env::var("VPX_INCLUDE_DIR")) {
        shim.include(headers).compile("vireo_vpx");
        println!("cargo::rustc-link-search=native={libraries}");
        println!("cargo::rustc-link-lib=vpx");
        return;
    }
    // Without metadata: the library has to come after the shim that calls it, or the linker drops it.
    match pkg_config::Config::new()
        .atleast_version("1.8")
        .cargo_metadata(false)
        .probe("vpx")
    {
        Ok(found) => {
            shim.includes(&found.include_paths).compile("vireo_vpx");
            for path in &found.link_paths {
                println!("cargo::rustc-link-search=native={}", path.display());
            }
            for library in &found.libs {
                println!("cargo::rustc-link-lib={library}");
            }
        }
        // Checking types for another system needs no library of that system; linking for it would say what is missing.
        Err(_) if env::var("HOST") != env::var("TARGET") => {
            println!(
                "cargo::warning=libvpx for this target was not found: types can be checked, but nothing can be linked; set VPX_LIB_DIR and VPX_INCLUDE_DIR"
            );
        }
        Err(problem) => {
            println!(
                "cargo::error=libvpx was not found: install libvpx-dev (Debian, Ubuntu), libvpx-devel (Fedora) or libvpx (Arch, Homebrew), or set VPX_LIB_DIR and VPX_INCLUDE_DIR. {problem}"
            );
        }
    }
}
