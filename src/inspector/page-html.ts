/**
 * The page's frame and its looks. What fills it is `page/`. Owns: markup and style. Must not know: any attempt.
 */

export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>attempt inspect</title>
<link rel="stylesheet" href="style.css"><link rel="icon" href="data:,">
<script type="module" src="page/main.js"></script>
</head>
<body>
<header>
  <h1>Attempts</h1>
  <p><span id="status" role="status">connecting ...</span> · <span id="counts"></span></p>
  <p id="dropped" role="status"></p>
  <div class="tools">
    <label class="file">Open a trace <input type="file" id="open" accept=".ndjson,.jsonl,.json,text/plain"></label>
    <span class="player"><button type="button" id="play">Play</button>
      <label>Step <input type="range" id="position" min="0" max="0" value="0"></label>
      <span id="position-of"></span> <button type="button" id="live">Back to live</button></span>
  </div>
  <p id="announce" role="status" aria-live="polite"></p>
</header>
<main>
  <section aria-labelledby="attempts-title">
    <h2 id="attempts-title">Attempts of the attached runners</h2>
    <p id="no-attempts">None has been seen. One appears here when it starts in a process that is attached:
      <code>inspectAttempts()</code>, or <code>attempt run --inspect</code>.</p>
    <ul id="attempts" class="rows"></ul>
  </section>
  <section id="one" aria-labelledby="one-title">
    <h2 id="one-title">In the machine</h2>
    <p id="selected"></p>
    <dl id="facts"></dl>
    <div id="statechart"></div>
  </section>
  <section id="locks-section" aria-labelledby="locks-title" hidden>
    <h2 id="locks-title">Locks of the directories</h2>
    <p class="hint">What the files alone tell, as of each holder's last heartbeat.</p>
    <p id="locks-note" role="status"></p>
    <div id="locks"></div>
  </section>
  <section aria-labelledby="log-title">
    <h2 id="log-title">Events</h2>
    <p><label>Filter <input type="search" id="filter" placeholder="session, attempt, event or state"></label>
      <span id="log-count"></span></p>
    <ol id="log" tabindex="0" aria-label="Events, the newest first"></ol>
  </section>
</main>
</body>
</html>
`;

export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--soft:#525b66;--edge:#d0d7de;--plate:#f6f8fa;--link:#0a5bc4;
--bad:#b42318;--held:#2b7a4b;--ask:#7a8794;--user:#0a5bc4;--late:#b3400a;--clean:#0b7285;--give:#8cc5a2;--pick:#bf3989}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#a3adb8;--edge:#30363d;--plate:#161b22;
--link:#79b8ff;--bad:#ff8a7a;--held:#56b87c;--ask:#8b949e;--user:#79b8ff;--late:#ff9d5c;--clean:#4fc3d9;--give:#2f6b48;
--pick:#ff80c8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.45 Helvetica,Arial,sans-serif}
header{padding:14px 20px;border-bottom:1px solid var(--edge);display:flex;flex-wrap:wrap;gap:4px 20px;align-items:center}
h1{font-size:18px;margin:0}h2{font-size:15px;margin:0 0 8px}h3{font-size:14px;margin:0;overflow-wrap:anywhere}
p{margin:0 0 8px}header p{margin:0}.hint,#log-count,dt,.next,#no-attempts{color:var(--soft)}
#announce:empty,#dropped:empty{display:none}#dropped,.lost #status{color:var(--bad);font-weight:700}
#announce{flex-basis:100%}
.tools{margin-left:auto;display:flex;flex-wrap:wrap;gap:6px 14px;align-items:center}
body:not(.replay) .player{display:none}.player{display:inline-flex;flex-wrap:wrap;gap:8px;align-items:center}
main{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,min(46vw,620px));gap:20px;padding:16px 20px}
section{min-width:0}#one{grid-column:2;grid-row:1/span 3}#one:focus-within{outline:0}
button,input,.file{font:inherit;color:inherit}
button{background:var(--plate);border:1px solid var(--edge);border-radius:6px;padding:4px 10px;cursor:pointer}
button:hover{border-color:var(--soft)}:focus-visible{outline:3px solid var(--link);outline-offset:1px}
input[type=search]{background:var(--paper);border:1px solid var(--edge);border-radius:6px;padding:4px 8px;width:min(100%,280px)}
.rows{display:flex;flex-direction:column;list-style:none;margin:0;padding:0;max-height:62vh;overflow:auto}
.rows li{display:grid;grid-template-columns:minmax(0,1fr) auto auto;gap:2px 10px;align-items:center;
padding:5px 8px;border-left:4px solid transparent;border-bottom:1px solid var(--edge);
content-visibility:auto;contain-intrinsic-size:auto 52px}
.rows li.selected{border-left-color:var(--pick);background:var(--plate)}
.rows li.ended{color:var(--soft);order:1}.rows li.unsettled{order:-1}.rows li.unsettled .next{color:var(--bad);font-weight:700}
.pick{all:unset;cursor:pointer;min-width:0;overflow:hidden;display:flex;gap:8px;align-items:baseline}
.pick:focus-visible{outline:3px solid var(--link)}
.about{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:0;flex:1}
.rows .next{max-width:22em;text-align:right}.next{font-variant-numeric:tabular-nums}
.state{font-weight:700;border-left:10px solid var(--ask);padding-left:6px;white-space:nowrap;flex:none}
.state.running,.state.locked{border-color:var(--held)}.state.aborting{border-color:var(--user)}
.state.cleaning{border-color:var(--clean)}.state.releasing{border-color:var(--give)}
.state.released,.state.over{border-color:var(--edge)}
.stop{color:var(--bad);border-color:var(--bad)}
.bar{grid-column:1/-1;position:relative;height:6px;background:var(--plate);border-radius:3px;overflow:hidden}
.bar i{position:absolute;top:0;bottom:0;min-width:1px;background:var(--ask)}
.bar .idle,.bar .released{background:transparent}.bar .running,.bar .locked{background:var(--held)}
.bar .aborting{background:var(--user)}.bar .cleaning{background:var(--clean)}.bar .releasing{background:var(--give)}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:1px 12px;margin:0 0 10px}dd{margin:0;overflow-wrap:anywhere}
#selected{overflow-wrap:anywhere}#statechart{border:1px solid var(--edge);border-radius:8px;overflow:hidden}
.card{border:1px solid var(--edge);border-left-width:4px;border-radius:8px;padding:8px 12px;margin:0 0 6px}
summary{cursor:pointer;display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline;margin:-4px 0}
summary::before{content:'+';font-weight:700}
h3{flex:1 1 260px;min-width:0}
details[open] summary::before{content:'-'}.card[open] summary{margin-bottom:4px}
.card.stuck{border-left-color:var(--bad)}.card button{margin:0 8px 0 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,Menlo,Consolas,monospace;margin:4px 0 8px}
#log{list-style:none;margin:0;padding:0;max-height:40vh;overflow:auto;font:12px/1.5 ui-monospace,Menlo,Consolas,monospace}
#log li{border-bottom:1px solid var(--edge);padding:1px 0;overflow-wrap:anywhere}#log time{color:var(--soft)}
#log b{font-weight:600}
@media(max-width:820px){main{grid-template-columns:minmax(0,1fr);padding:12px}#one{grid-column:1;grid-row:auto}
header{padding:12px}.tools{margin-left:0}.rows{max-height:none}.rows li{grid-template-columns:minmax(0,1fr) auto}
.pick{flex-wrap:wrap;gap:0 8px;grid-column:1/-1}.about{flex-basis:100%}.rows .next{text-align:left;max-width:none}}
`;
