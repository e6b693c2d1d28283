//! Lists as people read them in a terminal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Columns that are as wide as what is in them, with their names above. The last one has no spaces after it.
pub fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = lines.iter().map(line).collect();
    lines.join("\n")
}

/// A time, in milliseconds since the epoch, as a date and the time of day in UTC.
pub fn utc(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// How long it is until then, or that it has been.
pub fn left(until_ms: i64) -> String {
    let until = UNIX_EPOCH + Duration::from_millis(until_ms.try_into().unwrap_or_default());
    let left = until.duration_since(SystemTime::now()).unwrap_or_default();
    match left.as_secs() {
        0..3600 => format!("{} min", left.as_secs() / 60),
        3600..172_800 => format!("{} h", left.as_secs() / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// The day of the Gregorian calendar, so many days after 1970-01-01. Years begin in March here, so that the day that is
/// not in every year is the last one.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [
            vec!["Ännchen".to_owned(), "admin".to_owned()],
            vec!["Bo".to_owned(), "member".to_owned()],
        ];
        let table = table(&["NAME", "ROLE"], rows.into_iter());
        assert_eq!(table, "NAME     ROLE\nÄnnchen  admin\nBo       member");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01 00:00"),
            (951_827_640_000, "2000-02-29 12:34"),
            (1_764_000_000_000, "2025-11-24 16:00"),
            (4_107_542_399_000, "2100-02-28 23:59"),
            (4_107_542_400_000, "2100-03-01 00:00"),
        ] {
            assert_eq!(utc(ms), text);
        }
    }
}
