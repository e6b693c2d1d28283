//! What the page says, in each language.

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The language's tag (RFC 5646).
    pub language: &'static str,
    pub title: &'static str,
    /// Stands before the server's name.
    pub server: &'static str,
    pub what: &'static str,
    pub incomplete: &'static str,
    pub open: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub how: &'static str,
    pub install: &'static str,
    pub paste: &'static str,
    pub confirm: &'static str,
    pub note: &'static str,
}

/// English, for whoever asks for none of the others.
pub const ENGLISH: Words = Words {
    language: "en",
    title: "You are invited",
    server: "to the Vireo server",
    what: "Vireo is for video calls: sound and picture go straight from your computer to the other person’s.",
    incomplete: "This link is not complete: what stands after the # is missing. Please ask for the whole link.",
    open: "Open in Vireo",
    copy: "Copy the link",
    copied: "Copied",
    how: "How to join",
    install: "Install Vireo on this computer. Whoever sent you the link knows where to get it.",
    paste: "Open Vireo from this page, or copy the page’s whole address, with everything after the #, and paste it into Vireo.",
    confirm: "Vireo shows you which server it is and who invites you. Nothing happens until you agree.",
    note: "Looking at this page uses nothing up: the invitation stays good for you.",
};

/// Russian.
pub const RUSSIAN: Words = Words {
    language: "ru",
    title: "Вас пригласили",
    server: "на сервер Vireo",
    what: "Vireo — это видеозвонки: звук и изображение идут прямо с вашего компьютера на компьютер собеседника.",
    incomplete: "Ссылка неполная: не хватает того, что стоит после знака #. Попросите прислать её целиком.",
    open: "Открыть в Vireo",
    copy: "Скопировать ссылку",
    copied: "Скопировано",
    how: "Как присоединиться",
    install: "Установите Vireo на этот компьютер. Где взять программу, знает тот, кто прислал вам ссылку.",
    paste: "Откройте Vireo с этой страницы — или скопируйте адрес страницы целиком, вместе со всем после знака #, и вставьте его в Vireo.",
    confirm: "Vireo покажет, что это за сервер и кто вас приглашает. Без вашего согласия ничего не произойдёт.",
    note: "Просмотр этой страницы ничего не расходует: приглашение останется в силе.",
};

impl Words {
    /// In the language that is liked best of those there are, by `Accept-Language` (RFC 9110 §12.5.4).
    pub fn liked(accepted: &str) -> Self {
        let mut best = (ENGLISH, 0.0);
        for part in accepted.split(',') {
            let (tag, weight) = match part.split_once(';') {
                Some((tag, weight)) => (tag.trim(), weight.trim().strip_prefix("q=")),
                None => (part.trim(), Some("1")),
            };
            let weight = weight.and_then(|weight| weight.trim().parse::<f32>().ok());
            let primary = tag.split('-').next().unwrap_or_default();
            let words = [ENGLISH, RUSSIAN]
                .into_iter()
                .find(|words| words.language.eq_ignore_ascii_case(primary));
            if let (Some(words), Some(weight)) = (words, weight)
                && weight > best.1
            {
                best = (words, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best() {
        for (accepted, expected) in [
            ("", "en"),
            ("de-DE,de", "en"),
            ("ru", "ru"),
            ("RU-ru", "ru"),
            ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
            ("en-US,en;q=0.9,ru;q=0.8", "en"),
            ("en;q=0.2, ru;q=0.5", "ru"),
            ("uk, ru;q=0", "en"),
            ("ru;q=nonsense", "en"),
            ("de;q=1, *;q=0.5", "en"),
        ] {
            assert_eq!(Words::liked(accepted).language, expected, "{accepted:?}");
        }
    }
}
