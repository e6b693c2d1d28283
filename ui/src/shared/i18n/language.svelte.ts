/** The language that is used, as a tag of two letters. What is shown follows it. */
class Current {
  language = $state("en");
}

export const current = new Current();
