//! The table of system packages.

use super::manager::Manager;
use crate::process;

/// What a package is needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Compiling the workspace and the user interface.
    Build,
    /// Running the application.
    Run,
    /// Driving its windows on a display of their own.
    Window,
    /// The tests of the whole system, on virtual devices.
    Test,
    /// Checking the sources without running them.
    Lint,
    /// The C compilers of Windows and macOS.
    Platforms,
    /// Rust's standard library for them, where rustup has none.
    PlatformLibrary,
}

/// One row: what it is called in each system (nothing where the system needs nothing), and why it is needed.
pub struct Package {
    pub purpose: Purpose,
    /// Whoever already has this program needs no package for it.
    program: Option<&'static str>,
    apt: &'static str,
    dnf: &'static str,
    pacman: &'static str,
    brew: &'static str,
    pub why: &'static str,
}

impl Package {
    /// The names of the packages, separated by spaces.
    pub fn name_for(&self, manager: Manager) -> Option<&'static str> {
        let name = match manager {
            Manager::Apt => self.apt,
            Manager::Dnf => self.dnf,
            Manager::Pacman => self.pacman,
            Manager::Brew => self.brew,
        };
        (!name.is_empty()).then_some(name)
    }

    /// Whether the program that the package brings is there already, wherever it came from.
    pub fn is_a_program_found(&self) -> bool {
        self.program
            .is_some_and(|program| process::find(program).is_some())
    }

    /// A name for a system whose packages are not known.
    pub fn name_or_program(&self) -> &'static str {
        self.program.unwrap_or(self.apt)
    }
}

const fn row(
    purpose: Purpose,
    program: Option<&'static str>,
    [apt, dnf, pacman, brew]: [&'static str; 4],
    why: &'static str,
) -> Package {
    Package {
        purpose,
        program,
        apt,
        dnf,
        pacman,
        brew,
        why,
    }
}

/// Something that not every system has, and the tests that need it.
pub struct Optional {
    /// The program that comes with it, if it is one.
    program: Option<&'static str>,
    /// Which tests, as nextest's filter.
    pub tests: &'static str,
    /// Why it may be missing, for whoever reads that those tests did not run.
    pub why: &'static str,
}

/// Without these the other tests run all the same.
pub const OPTIONAL: [Optional; 2] = [
    Optional {
        program: Some("pulseaudio"),
        tests: "binary(sound)",
        why: "the tests of sound were NOT run: PulseAudio cannot be installed without removing something else (PipeWire, most likely)",
    },
    Optional {
        program: Some("chromium"),
        tests: "binary(browser)",
        why: "the tests with a browser were NOT run: this system has no package of Chromium",
    },
];

/// The right to make networks of one's own.
pub const NAMESPACES: Optional = Optional {
    program: None,
    tests: "binary(networks) | binary(netlab)",
    why: "the tests of networks were NOT run: the system gives no network namespaces (on Ubuntu, `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows them)",
};

/// Where the virtual machine with a camera comes from: its kernel and QEMU are fetched from there and not installed.
pub const APT: Optional = Optional {
    program: Some("apt-get"),
    tests: "binary(camera_vm)",
    why: "the tests of the camera were NOT run: their virtual machine comes from Debian's or Ubuntu's packages, and this system has no apt",
};

impl Optional {
    /// Whether the program that it stands for is there.
    pub fn is_found(&self) -> bool {
        self.program
            .is_some_and(|program| process::find(program).is_some())
    }
}

impl Package {
    /// What has to be left out where this package cannot be installed; nothing is where the package is a must.
    pub fn optional(&self) -> Option<&'static Optional> {
        let program = self.program?;
        OPTIONAL
            .iter()
            .find(|optional| optional.program == Some(program))
    }
}

use Purpose::{Build, PlatformLibrary, Platforms, Run, Test, Window};

/// Every package that any command needs.
#[rustfmt::skip]
pub const PACKAGES: &[Package] = &[
    //                                 apt                       dnf                       pacman              brew
    row(Build, None,              ["build-essential",        "gcc gcc-c++ make",       "base-devel",       ""],        "compiles the codecs, which are C and C++"),
    row(Build, None,              ["pkg-config",             "pkgconf-pkg-config",     "pkgconf",          "pkgconf"], "finds the system's libraries"),
    row(Build, Some("cmake"),     ["cmake",                  "cmake",                  "cmake",            "cmake"],   "builds Opus"),
    row(Build, Some("nasm"),      ["nasm",                   "nasm",                   "nasm",             "nasm"],    "assembles the fast parts of H.264"),
    row(Build, None,              ["libclang-dev clang",     "clang-devel clang",      "clang",            ""],        "reads the headers of camera and codec libraries"),
    row(Build, None,              ["libwebkit2gtk-4.1-dev",  "webkit2gtk4.1-devel",    "webkit2gtk-4.1",   ""],        "the window that shows the user interface"),
    row(Build, None,              ["libgtk-3-dev",           "gtk3-devel",             "gtk3",             ""],        "the frame around that window"),
    row(Build, None,              ["librsvg2-dev",           "librsvg2-devel",         "librsvg",          ""],        "draws the application's icons"),
    row(Build, None,              ["libasound2-dev",         "alsa-lib-devel",         "alsa-lib",         ""],        "microphone and speaker"),
    row(Build, None,              ["libvpx-dev",             "libvpx-devel",           "libvpx",           "libvpx"],  "the VP8 codec"),
    row(Build, None,              ["libdbus-1-dev",          "dbus-devel",             "dbus",             ""],        "the system's store of keys"),
    row(Build, Some("node"),      ["nodejs",                 "nodejs",                 "nodejs",           "node"],    "builds the user interface"),
    row(Build, Some("npm"),       ["npm",                    "npm",                    "npm",              ""],        "fetches the user interface's libraries"),

    row(Run,   None,              ["gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav",
                                   "gstreamer1-plugins-base gstreamer1-plugins-good gstreamer1-plugins-bad-free gstreamer1-plugin-openh264",
                                   "gst-plugins-base gst-plugins-good gst-plugins-bad gst-libav", ""],                  "decode the remote picture inside the window"),
    row(Run,   Some("dbus-run-session"), ["dbus dbus-x11",   "dbus-daemon dbus-x11",   "dbus",             ""],        "the session bus that desktop applications talk over"),

    row(Window, Some("Xvfb"),      ["xvfb",                   "xorg-x11-server-Xvfb",   "xorg-server-xvfb", ""],        "a display for the application windows of the tests"),
    row(Window, Some("openbox"),   ["openbox",                "openbox",                "openbox",          ""],        "a window manager on that display"),
    row(Window, Some("xdotool"),   ["xdotool",                "xdotool",                "xdotool",          ""],        "looks at and moves windows on that display"),
    row(Window, Some("weston"),    ["weston",                 "weston",                 "weston",           ""],        "a display of the other kind, Wayland"),
    row(Window, Some("wmctrl"),    ["wmctrl",                 "wmctrl",                 "wmctrl",           ""],        "closes windows as a window manager does"),
    row(Window, Some("import"),    ["imagemagick",            "ImageMagick",            "imagemagick",      ""],        "takes screenshots of that display"),
    row(Window, None,             ["fonts-dejavu-core",      "dejavu-sans-fonts",      "ttf-dejavu",       ""],        "letters on that display"),
    row(Window, Some("WebKitWebDriver"), ["webkit2gtk-driver", "/usr/bin/WebKitWebDriver", "webkit2gtk-4.1", ""],        "drives the user interface in tests"),
    row(Test,  Some("pulseaudio"), ["pulseaudio",            "pulseaudio",             "pulseaudio",       ""],        "virtual microphones and speakers"),
    row(Test,  Some("espeak-ng"), ["espeak-ng",              "espeak-ng",              "espeak-ng",        ""],        "a voice for the tests of sound"),
    row(Test,  Some("pactl"),     ["pulseaudio-utils",       "pulseaudio-utils",       "libpulse",         ""],        "plays into and records from them"),
    row(Test,  Some("chromium"),  ["chromium",               "chromium",               "chromium",         ""],        "the browser that calls and is called"),
    row(Test,  Some("turnserver"), ["coturn",                "coturn",                 "coturn",           ""],        "the STUN and TURN server through which calls go"),
    row(Test,  None,              ["postgresql",             "postgresql-server",      "postgresql",       "postgresql"], "the database of servers that are many"),
    row(Test,  Some("redis-server"), ["redis-server",        "redis",                  "redis",            "redis"],   "the bus between servers that are many"),
    row(Test,  Some("ip"),        ["iproute2",               "iproute",                "iproute2",         ""],        "networks that stand in a call's way"),
    row(Test,  Some("nft"),       ["nftables",               "nftables",               "nftables",         ""],        "routers and firewalls in those networks"),
    row(Test,  None,              ["busybox-static cpio xz-utils", "busybox cpio xz",  "busybox cpio xz",  ""],        "the system inside the virtual machine that has a camera"),
    row(Test,  None,              ["python3-venv",           "python3-pip",            "python-pip",       ""],        "fetches the suite that checks the server's WebSockets from PyPI"),

    row(PlatformLibrary, None,    ["rustc-web cargo-web rust-web-src", "", "", ""],                                    "a compiler that can build Rust's standard library for other systems"),
    row(Platforms, None,          ["mingw-w64",              "mingw64-gcc-c++",        "mingw-w64-gcc",    ""],        "compiles C for Windows"),
    row(Platforms, None,          ["python3-venv",           "python3-pip",            "python-pip",       ""],        "fetches the C compiler for macOS from PyPI"),
];
