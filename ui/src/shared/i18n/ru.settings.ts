import type { settings as english } from "./en.settings";

/** What the settings say, in Russian. */
export const settings: Record<keyof typeof english, string> = {
  "settings.title": "Настройки",
  "settings.close": "Закрыть настройки",
  "settings.account": "Учётная запись",
  "settings.profile": "Профиль",
  "settings.audio": "Звук",
  "settings.video": "Видео",
  "settings.notifications": "Уведомления и звонки",
  "settings.shortcuts": "Горячие клавиши",
  "settings.privacy": "Приватность",
  "settings.network": "Сеть и сервер",
  "settings.appearance": "Внешний вид и язык",
  "settings.about": "Прочее и о программе",

  "picture.choose": "Выбрать фото…",
  "picture.remove": "Убрать фото",
  "picture.unreadable": "Vireo не может прочитать этот файл как картинку. Выберите файл PNG, JPEG или WebP.",
  "picture.tooLarge": "Этот файл слишком большой. Выберите картинку поменьше.",
  "profile.account": "Имя учётной записи: {name}",
  "profile.displayName": "Отображаемое имя",
  "profile.displayNameHint": "Его видят другие. Добавляют вас по-прежнему по имени учётной записи.",
  "profile.save": "Сохранить",

  "test.sound": "Проверить звук",
  "test.stop": "Остановить",
  "test.record": "Сделать пробную запись",
  "test.speak": "Запись – скажите что-нибудь",
  "test.playing": "Слушайте запись",
  "test.recordHint": "Пять секунд, а потом вы услышите себя так, как слышат вас другие.",
  "test.notInCall": "Пробную запись можно сделать после звонка.",

  "preview.starting": "Включаем камеру…",
  "preview.hint": "Вы видите себя как в зеркале. Другие видят вас без отражения.",
  "preview.inCall": "Своё изображение вы видите в звонке.",
  "fullHd.title": "Отправлять видео в Full HD",
  "fullHd.hint":
    "Со следующего звонка, если хватает камеры, компьютера и связи. Компьютер нагружается сильнее.",
  "rotation.title": "Поворот",
  "rotation.hint": "Если камера закреплена боком или вверх ногами. Vireo запомнит это для этой камеры.",

  "alerts.notifications": "Показывать уведомления",
  "alerts.notificationsHint":
    "О пропущенных звонках, о недоступном сервере и о звонках, которых не видно ни в одном окне.",
  "alerts.ringtone": "Мелодия звонка",
  "alerts.ringtoneHint": "Звучит, когда вам звонят, если вы не выбрали «Не беспокоить».",
  "alerts.secondSpeaker": "Звонить и через второй динамик",
  "alerts.noSecondSpeaker": "Без второго динамика",
  "alerts.secondSpeakerHint": "Чтобы услышать звонок, когда гарнитура лежит на столе.",

  "privacy.calls": "Звонки",
  "privacy.callsText":
    "Звук и изображение шифруются на всём пути от вашего компьютера до другого: никто между ними, даже сервер, не может их услышать или увидеть. Звонить вам могут только те, чей запрос вы приняли.",
  "privacy.blocked": "Заблокированные",
  "privacy.nobodyBlocked": "Вы никого не заблокировали.",
  "privacy.unblock": "Разблокировать: {name}",

  "network.server": "Сервер",
  "network.address": "Адрес",
  "network.here": "На этом компьютере",
  "network.state": "Соединение",
  "network.online": "Подключено",
  "network.servers": "Где Vireo ищет сервер",
  "network.serversText": "Сверху вниз: если один не отвечает, пробуем следующий.",
  "network.test": "Проверить",
  "network.reachable": "Сервер доступен.",
  "network.answered": "Ответ пришёл за {ms} мс.",
  "network.trust.invitation": "Сертификат – тот самый, что был назван в приглашении.",
  "network.trust.authority": "Сертификат действителен.",
  "network.trust.unencrypted": "Связь с ним не шифруется; это безопасно только в пределах этого компьютера.",
  "network.ice": "Свои серверы STUN и TURN",
  "network.iceText":
    "Помогают звонкам пройти через межсетевые экраны, вместе с серверами вашего сервера, начиная со следующего звонка.",
  "network.iceAddress": "Адрес",
  "network.iceName": "Имя пользователя",
  "network.icePassword": "Пароль",
  "network.removeIce": "Удалить {address}",
  "network.invalidIce":
    "Vireo не может использовать этот адрес. Напишите stun:узел:порт или turn:узел:порт с именем пользователя и паролем.",
  "network.path": "Звонки",
  "network.pathText":
    "Звонки идут напрямую с вашего компьютера на другой, если сети это позволяют, иначе – через ретранслятор сервера, который не может их услышать или увидеть.",
  "network.relayOnly": "Только через ретранслятор",
  "network.relayOnlyHint":
    "Скрывает ваш адрес в интернете от собеседников, начиная со следующего звонка. Для этого нужен ретранслятор (сервер TURN); звук и изображение могут приходить чуть позже.",
  "network.noRelay":
    "Ваш сервер не предоставляет ретранслятор, поэтому ни один звонок не соединится. Отключите это или добавьте ниже свой сервер TURN.",

  "appearance.theme": "Тема",
  "appearance.themeHint": "Во время звонка тема всегда тёмная.",
  "appearance.language": "Язык",
  "appearance.system": "Как в системе",
  "appearance.light": "Светлая",
  "appearance.dark": "Тёмная",
  "appearance.english": "English",
  "appearance.russian": "Русский",

  "staying.autostart": "Запускать Vireo при входе в систему",
  "staying.autostartHint": "Без окна, в области уведомлений, чтобы вам можно было позвонить.",
  "staying.closing": "Если закрыть окно во время звонка",
  "staying.ask": "Спросить",
  "staying.keep": "Продолжить звонок",
  "staying.end": "Завершить звонок",

  "about.name": "Vireo",
  "about.version": "Версия {version}",
  "about.licence": "Свободная программа под лицензией Apache 2.0 или MIT.",
  "about.log": "Журнал",
  "about.logText":
    "Что Vireo делал в последнее время – для тех, кто поможет вам с неполадкой. В нём нет имён и адресов.",
  "about.exportLog": "Сохранить журнал",
};
