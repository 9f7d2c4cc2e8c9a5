// The blend of an overlay follows its slider. The page is complete without this.
document.addEventListener("input", (event) => {
  const slider = event.target;
  if (slider.matches("input[data-blend]")) {
    slider.closest("figure").style.setProperty("--blend", slider.value / 100);
  }
});
