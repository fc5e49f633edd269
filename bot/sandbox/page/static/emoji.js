// Slack's short names that the bot and its drafts use; an unknown one stays as it was written.

const EMOJI = {
  "+1": "👍", "-1": "👎", alarm_clock: "⏰", arrow_double_up: "⏫", arrow_down: "⬇️", arrow_right: "➡️",
  arrow_up: "⬆️", arrows_counterclockwise: "🔄", ballot_box_with_check: "☑️", bell: "🔔", black_circle: "⚫",
  book: "📖", boom: "💥", bulb: "💡", bust_in_silhouette: "👤", busts_in_silhouette: "👥", calendar: "📅",
  chart_with_upwards_trend: "📈", clock1: "🕐", cyclone: "🌀", eyes: "👀", exclamation: "❗", fire: "🔥",
  gear: "⚙️", grey_question: "❔", hammer_and_wrench: "🛠️", heavy_check_mark: "✔️", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", house: "🏠", information_source: "ℹ️", label: "🏷️", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_orange_circle: "🟠", large_yellow_circle: "🟡", link: "🔗", lock: "🔒",
  mag: "🔍", mega: "📣", memo: "📝", no_bell: "🔕", no_entry: "⛔", ok_hand: "👌", pager: "📟", pencil: "📝",
  question: "❓", raised_hands: "🙌", raising_hand: "🙋", red_circle: "🔴", repeat: "🔁", rotating_light: "🚨",
  small_blue_diamond: "🔹", small_orange_diamond: "🔸", small_red_triangle: "🔺", sos: "🆘", sparkles: "✨",
  speech_balloon: "💬", stop_sign: "🛑", tada: "🎉", telephone_receiver: "📞", thinking_face: "🤔", thread: "🧵",
  twisted_rightwards_arrows: "🔀", warning: "⚠️", wave: "👋", white_check_mark: "✅", white_circle: "⚪",
  wrench: "🔧", x: "❌", zap: "⚡", zzz: "💤",
};

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

/** Plain text with its short names drawn, as plain_text objects are. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
}
