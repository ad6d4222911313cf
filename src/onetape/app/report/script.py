"""The page's behaviour: Plotly unpacked, charts drawn in the page's colours, tables paged."""

SCRIPT = """
const read = id => JSON.parse(document.getElementById(id).textContent);
const color = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const painted = value => typeof value === 'string' ? (value.startsWith('$') ? color(value.slice(1)) : value)
  : Array.isArray(value) ? value
  : value && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)])) : value;

function table(place, columns, rows, total) {
  const size = 50, texts = rows.map(row => row.join(' ').toLowerCase());
  let page = 0, found = rows.map((_, number) => number);
  const make = (name, parent, text) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const pager = make('div', place), filter = make('input', pager), back = make('button', pager, 'back');
  const next = make('button', pager, 'next'), said = make('span', pager);
  pager.className = 'pager';
  filter.placeholder = 'filter';
  filter.setAttribute('aria-label', 'filter');
  const grid = make('table', place), head = make('tr', make('thead', grid)), body = make('tbody', grid);
  for (const [name, number] of columns) make('th', head, name).className = number ? 'number' : '';
  function show() {
    body.replaceChildren();
    for (const number of found.slice(page * size, (page + 1) * size)) {
      const line = make('tr', body);
      rows[number].forEach((text, column) => {
        const cell = make('td', line, text);
        if (columns[column][1]) cell.className = 'number';
        if (text === 'BUY') cell.className = 'up';
        if (text === 'SELL' || text === 'REJECTED') cell.className = 'down';
      });
    }
    const from = found.length ? page * size + 1 : 0, to = Math.min((page + 1) * size, found.length);
    const left = total > rows.length
      ? ` (the first ${rows.length.toLocaleString('en')} of ${total.toLocaleString('en')}; `
        + 'all are in the run that --save keeps)' : '';
    said.textContent = `${from} to ${to} of ${found.length.toLocaleString('en')}${left}`;
    back.disabled = page === 0;
    next.disabled = to >= found.length;
  }
  back.onclick = () => { page -= 1; show(); };
  next.onclick = () => { page += 1; show(); };
  filter.oninput = () => {
    const wanted = filter.value.toLowerCase();
    found = rows.map((_, number) => number).filter(number => texts[number].includes(wanted));
    page = 0;
    show();
  };
  show();
}

for (const [id, { columns, rows, total }] of Object.entries(read('tables')))
  table(document.getElementById(id), columns, rows, total);

function draw() {
  for (const [section, figures] of Object.entries(read('figures')))
    figures.forEach((figure, number) => {
      const axis = { gridcolor: color('line'), zerolinecolor: color('line'), linecolor: color('line') };
      const layout = painted(figure.layout);
      const base = {
        height: figure.height, margin: { l: 70, r: 16, t: 12, b: 36 }, hovermode: 'x unified',
        paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
        font: { color: color('muted'), size: 12, family: getComputedStyle(document.body).fontFamily },
        legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0 },
        modebar: { bgcolor: 'rgba(0,0,0,0)', color: color('line'), activecolor: color('muted') },
        hoverlabel: { bgcolor: color('panel'), bordercolor: color('line'), align: 'left',
          font: { color: color('ink') } },
      };
      const axes = {};
      for (const name of ['yaxis', 'yaxis2'])
        if (layout[name]) axes[name] = { tickformat: ',~f', ...axis, ...layout[name] };
      axes.xaxis = { type: 'date', ...axis, ...(layout.yaxis2 ? { anchor: 'y2' } : {}), ...(layout.xaxis || {}) };
      Plotly.react(`${section}-${number}`, figure.data.map(painted), { ...base, ...layout, ...axes },
        { responsive: true, displaylogo: false });
    });
}

(async () => {
  const text = atob(document.getElementById('plotly').textContent);
  const packed = Uint8Array.from(text, letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})().catch(error => {
  for (const chart of document.querySelectorAll('.chart'))
    chart.textContent = `This browser cannot draw the chart (${error}).`;
});
"""
