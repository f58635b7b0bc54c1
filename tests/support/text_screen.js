// Evaluated in a page: sharing the screen shows 12 px text. `__textScreen(text)` is a picture of it, 1280x720, as PNG.
(() => {
  const [WIDTH, HEIGHT, CELL, LINE, LEFT, TOP] = [1280, 720, 8, 18, 40, 40];
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext('2d', { alpha: false });
  let lines = [];

  function draw(shown) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = '#111';
    context.font = '12px "DejaVu Sans Mono", monospace';
    shown.forEach((line, row) => {
      [...line].forEach((character, column) => context.fillText(character, LEFT + column * CELL, TOP + row * LINE));
    });
  }

  window.__showText = (text) => { lines = text; };
  window.__pictureOfText = (text) => {
    draw(text);
    return canvas.toDataURL('image/png').split(',')[1];
  };
  navigator.mediaDevices.getDisplayMedia = async () => {
    draw(lines);
    const stream = canvas.captureStream();
    setInterval(() => draw(lines), 66); // a canvas gives a frame for each drawing only
    return stream;
  };
})()
