"use strict";

// What a quality mark looks like and says: a shape of its own for each kind, not a colour alone.

const KINDS = {
  broken: { shape: "▲", words: "breaks a rule" },
  unavoidable: { shape: "◇", words: "cannot be helped" },
  taste: { shape: "○", words: "a matter of taste" },
};

const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function element(tag, classes, text) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  // Only ever as text: titles, cues and file names come from anywhere.
  if (text !== undefined) made.textContent = text;
  return made;
}

function clockOf(ms, withFraction = true) {
  const sign = ms < 0 ? "-" : "";
  const whole = Math.abs(Math.round(ms));
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const time = `${sign}${two(whole / 3600000)}:${two((whole / 60000) % 60)}:${two((whole / 1000) % 60)}`;
  return withFraction ? `${time}.${String(whole % 1000).padStart(3, "0")}` : time;
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function sentenceOf(mark, rules) {
  const [, rule, value, limit, kind, reason] = mark;
  const { words, unit } = rules[rule] || { words: rule, unit: "" };
  const number = unit ? `: ${value} ${unit}` : "";
  const most = unit && limit ? ` (limit ${limit})` : "";
  const aside = reason ? ` – unavoidable: ${reason}` : kind === "taste" ? " – a matter of taste" : "";
  return words.charAt(0).toUpperCase() + words.slice(1) + number + most + aside;
}

function drawShape(context, kind, x, y, size) {
  context.beginPath();
  if (kind === "broken") {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y + size * 0.8);
    context.lineTo(x - size, y + size * 0.8);
    context.closePath();
    context.fill();
  } else if (kind === "unavoidable") {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.lineTo(x - size, y);
    context.closePath();
    context.stroke();
  } else {
    context.arc(x, y, size * 0.7, 0, 2 * Math.PI);
    context.stroke();
  }
}
