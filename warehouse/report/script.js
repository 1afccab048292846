// Draws every chart of the page, each by the name of its heading. Nothing is loaded, and no text is run as code.
const narrow = window.matchMedia("(max-width: 52rem)");

async function draw(place) {
  const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const name = document.getElementById(place.dataset.heading).textContent.trim().replace(/\s+/g, " ");
  const label = place.dataset.part ? `${name}: ${place.dataset.part}` : name;
  spec.description = label;
  spec.params[0].value = narrow.matches;
  await vegaEmbed(place, spec, { actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: false });
  const picture = place.querySelector("svg");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", label);
}

async function drawAll() {
  for (const place of document.querySelectorAll("[data-chart]")) await draw(place);
  document.documentElement.dataset.drawn = "all";
}

narrow.addEventListener("change", drawAll);
drawAll();
