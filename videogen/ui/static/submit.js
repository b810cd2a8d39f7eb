(...values) => {
  // The key is made before anything is sent: sent again, the form means the same generations.
  const key = values.length - 2;
  values[key] ||= [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return values;
}
