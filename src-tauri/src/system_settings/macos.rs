//! The pages of System Settings, by their addresses.

use vireo_call::NoticeKind;

type Program = (&'static str, &'static [&'static str]);

pub const fn programs(kind: NoticeKind) -> [Program; 1] {
    let page: &[&str] = match kind {
        NoticeKind::Camera => {
            &["x-apple.systempreferences:com.apple.preference.security?Privacy_Camera"]
        }
        NoticeKind::Microphone => {
            &["x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone"]
        }
        NoticeKind::Speaker => &["x-apple.systempreferences:com.apple.preference.sound"],
    };
    [("open", page)]
}
