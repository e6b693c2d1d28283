//! GNOME's settings, KDE's, and PulseAudio's own.

use vireo_call::NoticeKind;

type Program = (&'static str, &'static [&'static str]);

pub const fn programs(kind: NoticeKind) -> [Program; 3] {
    match kind {
        NoticeKind::Camera => [
            ("gnome-control-center", &["camera"]),
            ("systemsettings", &["kcm_app-permissions"]),
            ("systemsettings5", &[]),
        ],
        NoticeKind::Microphone | NoticeKind::Speaker => [
            ("gnome-control-center", &["sound"]),
            ("systemsettings", &["kcm_pulseaudio"]),
            ("pavucontrol", &[]),
        ],
    }
}
