namespace Amalgam.Zoo.Report;

/// <summary>How reports look. The colours of series are those of Okabe and Ito (2008), which people with colour-blindness can tell apart; on dark ground a little lighter.</summary>
internal static class StyleSheet
{
    /// <summary>Number of colours for series.</summary>
    public const int Colours = 7;

    public const string Text = """

        :root { color-scheme: light dark; --ground:#fcfcfb; --card:#ffffff; --ink:#1c2024; --soft:#5b6570; --rule:#dfe3e7; --grid:#e9ecef; --best:#eaf3fa;
          --s0:#0072b2; --s1:#e08a00; --s2:#009e73; --s3:#cc5c9b; --s4:#d55e00; --s5:#4aa8dd; --s6:#7a7f85 }
        @media (prefers-color-scheme: dark) { :root { --ground:#15181b; --card:#1c2024; --ink:#e8eaed; --soft:#9aa4ae; --rule:#343b42; --grid:#2a3036; --best:#1d3345;
          --s0:#4aa3df; --s1:#f0a830; --s2:#2fc49a; --s3:#e08cc0; --s4:#f07c38; --s5:#8fcdf2; --s6:#9aa0a6 } }
        * { box-sizing:border-box }
        body { margin:0 auto; padding:2.5rem 1.25rem 5rem; max-width:62rem; background:var(--ground); color:var(--ink);
          font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans","DejaVu Sans",sans-serif }
        h1 { font-size:2rem; line-height:1.2; letter-spacing:-.015em; margin:0 0 .25rem }
        h2 { font-size:1.35rem; margin:2.75rem 0 .5rem; padding-top:1.25rem; border-top:1px solid var(--rule) }
        h3 { font-size:1.05rem; margin:1.75rem 0 .25rem }
        p { margin:.5rem 0 1rem; max-width:46rem }
        .quiet { color:var(--soft); font-size:.9rem }
        header .quiet { margin:0 0 1.5rem }
        pre { background:var(--card); border:1px solid var(--rule); border-radius:8px; padding:.8rem 1rem; overflow-x:auto; font:13px/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace }
        figure { margin:1.25rem 0 1.75rem; overflow-x:auto }
        figcaption { font-weight:600; font-size:.95rem; margin-bottom:.5rem }
        .key { display:flex; flex-wrap:wrap; gap:.75rem; margin:1.25rem 0 }
        .key > div { flex:1 1 9.5rem; background:var(--card); border:1px solid var(--rule); border-radius:10px; padding:.9rem 1.1rem; display:flex; flex-direction:column }
        .key b { font-size:1.75rem; line-height:1.2; letter-spacing:-.02em; font-variant-numeric:tabular-nums }
        .key span { font-size:.92rem }
        .key small { color:var(--soft); font-size:.82rem; line-height:1.35; margin-top:.15rem }
        .side { display:grid; grid-template-columns:repeat(auto-fit,minmax(21rem,1fr)); gap:0 2rem; align-items:start }
        table { border-collapse:collapse; font-size:.93rem }
        th { text-align:left; font-weight:600; color:var(--soft); border-bottom:1.5px solid var(--rule); padding:.3rem .9rem .35rem 0; vertical-align:bottom; white-space:nowrap }
        td { padding:.28rem .9rem .28rem 0; border-bottom:1px solid var(--grid) }
        th.n, td.n { text-align:right; padding:.28rem .45rem .28rem .9rem; font-variant-numeric:tabular-nums; white-space:nowrap }
        th.n + th.t, td.n + td.t { padding-left:1.1rem }
        tbody + tbody td { border-top:0 }
        th.section { color:var(--ink); font-weight:600; padding-top:1rem }
        td.best { font-weight:700; background:var(--best); border-radius:4px }
        td:first-child { overflow-wrap:anywhere; min-width:9rem }
        svg { display:block; width:100%; height:auto; font-family:inherit; overflow:visible }
        svg text { fill:var(--ink); font-size:12.5px; font-variant-numeric:tabular-nums }
        svg text.mark { fill:var(--soft); font-size:11.5px }
        svg text.value { paint-order:stroke; stroke:var(--ground); stroke-width:3px; stroke-linejoin:round }
        svg text.name { fill:var(--soft); font-size:12px }
        svg .grid { stroke:var(--grid); stroke-width:1 }
        svg .axis { stroke:var(--rule); stroke-width:1 }
        svg .reference { stroke:var(--soft); stroke-width:1.4 }
        svg .line { fill:none; stroke-width:2; stroke-linejoin:round; stroke-linecap:round }
        svg .area { fill-opacity:.16; stroke-width:1.6; stroke-linejoin:round }
        svg text.within { fill:#fff; font-size:12px; font-weight:600 }
        svg .chosen { fill:none; stroke:#111; stroke-width:3.4 }
        svg .chosen.inner { stroke:#fff; stroke-width:1.5 }
        svg .frame { fill:none; stroke:var(--soft); stroke-width:1 }
        svg .band { fill:var(--grid); fill-opacity:.55 }
        svg .link { fill:none; stroke:var(--soft); stroke-width:1.8; stroke-linecap:round }
        svg .layer { fill:var(--c); stroke:var(--c); stroke-width:1.2 }
        svg .layer.alone { fill:none; stroke-dasharray:3 2 }
        svg image, .images img { image-rendering:pixelated }
        .legend { display:flex; flex-wrap:wrap; gap:.15rem 1.1rem; font-size:.86rem; color:var(--soft); margin:0 0 .4rem; padding:0; list-style:none }
        .legend li { display:flex; align-items:center; gap:.4rem }
        .legend svg { width:22px; height:10px; flex:none }
        .images > div { display:flex; flex-wrap:wrap; gap:.6rem }
        .images div div { display:flex; flex-direction:column; align-items:center; font-size:.78rem; color:var(--soft) }
        .images img { border-radius:4px; border:1px solid var(--rule); display:block }
        @media print { :root { --ground:#fff; --card:#fff; --ink:#000; --soft:#444; --rule:#bbb; --grid:#ddd; --best:#eee;
          --s0:#0072b2; --s1:#e08a00; --s2:#009e73; --s3:#cc5c9b; --s4:#d55e00; --s5:#4aa8dd; --s6:#7a7f85 }
          body { font-size:11pt; max-width:none; padding:0 } figure, tr, .key > div { break-inside:avoid } h2, h3 { break-after:avoid } * { print-color-adjust:exact } }

        """;
}
