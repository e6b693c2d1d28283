import type { CallPeer } from "../bindings/CallPeer";
import type { Contact } from "../bindings/Contact";
import type { Presence } from "../bindings/Presence";
import { t, type Key } from "../shared/i18n";
import { pictureOf } from "../shared/pictures";
import { ago } from "../shared/time";

/** The name that somebody shows, else the one that is theirs alone on the server. */
export function shownName(contact: Contact): string {
  return contact.displayName ?? displayName(contact.name, contact.service);
}

/** What somebody is called here: people as they call themselves, the server's own service in the person's language. */
export function displayName(name: string, service: boolean): string {
  return service && name === "Echo test" ? t("person.echoName") : name;
}

/** The name that the other side of a call shows, where it is known. */
export function peerName(peer: CallPeer, contacts: readonly Contact[]): string {
  const contact = contacts.find(({ userId }) => userId === peer.userId);
  return contact === undefined ? peer.name : shownName(contact);
}

/** Where the picture of the other side of a call is, where they show one. */
export function peerPicture(peer: CallPeer, contacts: readonly Contact[]): string | null {
  const contact = contacts.find(({ userId }) => userId === peer.userId);
  return pictureOf(peer.userId, contact?.avatar ?? null);
}

/** What is still true of the contacts while their server says nothing: who they are, and not whether they are there. */
export function withoutPresence(contacts: readonly Contact[]): Contact[] {
  return contacts.map((contact) => ({ ...contact, presence: "offline", lastSeenAt: null }));
}

/** Whether the person is there, for a dot; nothing where that is unknown or says nothing. */
export function shownPresence(contact: Contact, reachable: boolean): Presence | undefined {
  return reachable && contact.status === "contact" && !contact.service ? contact.presence : undefined;
}

/** Where a person is or how the two stand to each other, in a few words; empty where nobody knows at the moment. */
export function statusLine(contact: Contact, reachable = true): string {
  if (contact.service) return reachable ? t("person.service") : "";
  switch (contact.status) {
    case "requested":
      return t("person.requested");
    case "incoming":
      return t("person.incoming");
    case "blocked":
      return t("person.blocked");
    case "contact":
      if (!reachable) return "";
      return contact.presence === "offline" && contact.lastSeenAt !== null
        ? t("person.lastSeen", { when: ago(contact.lastSeenAt) })
        : t(presences[contact.presence]);
  }
}

/** The words for each presence. */
export const presences = {
  online: "person.online",
  away: "person.away",
  "in-call": "person.inCall",
  "do-not-disturb": "person.doNotDisturb",
  offline: "person.offline",
} as const satisfies Record<Presence, Key>;

/** Whether somebody is there who can be called. */
function isThere(contact: Contact): boolean {
  return contact.status === "contact" && contact.presence !== "offline";
}

/** The chat to call in, or null while the two cannot call each other. */
export function callableChat(contact: Contact): string | null {
  return isThere(contact) ? contact.chatId : null;
}

/** The list's order: who asks, who is there, everyone else, the blocked, the service; and each by name. */
export function sortContacts(contacts: readonly Contact[]): Contact[] {
  const rank = (contact: Contact) =>
    contact.service
      ? 4
      : contact.status === "incoming"
        ? 0
        : isThere(contact)
          ? 1
          : contact.status === "blocked"
            ? 3
            : 2;
  return [...contacts].sort((a, b) => rank(a) - rank(b) || shownName(a).localeCompare(shownName(b)));
}

/** The people whose name holds the words. */
export function matching(contacts: readonly Contact[], query: string): Contact[] {
  const wanted = query.trim().toLocaleLowerCase();
  return contacts.filter((contact) =>
    [shownName(contact), contact.name].some((name) => name.toLocaleLowerCase().includes(wanted)),
  );
}
