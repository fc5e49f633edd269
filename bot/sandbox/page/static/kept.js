// What a reload must not lose: for this tab (who one is, drafts, open panels) and for this browser (read marks, tour).

function shelf(storage) {
  return {
    get(name, otherwise = null) {
      try {
        return JSON.parse(storage.getItem(`pagerline.${name}`)) ?? otherwise;
      } catch {
        return otherwise;
      }
    },
    set(name, value) {
      try {
        storage.setItem(`pagerline.${name}`, JSON.stringify(value));
      } catch {
        // A full or forbidden storage forgets; the page works all the same.
      }
    },
  };
}

export const tab = shelf(sessionStorage);
export const browser = shelf(localStorage);

/** Lets the fakes' own sign-in pages know who sits here: cookies do not tell ports apart. */
export function present(user) {
  document.cookie = `sandbox_person=${encodeURIComponent(user)}; Path=/; SameSite=Lax`;
}
