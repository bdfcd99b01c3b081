// Offers the time zone of the browser on the page of preferences.
"use strict";

window.addEventListener("load", () => {
  const select = document.getElementById("id_timezone");
  const offer = document.getElementById("timezone-offer");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isListed = [...select.options].some((option) => option.value === zone);
  if (!isListed || (select.value || "UTC") === zone) return;
  const button = offer.querySelector("button");
  button.textContent = `Use ${zone}, the time zone of this browser`;
  button.addEventListener("click", () => {
    window.django.jQuery(select).val(zone).trigger("change");
    offer.hidden = true;
  });
  offer.hidden = false;
});
