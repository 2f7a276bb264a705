using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>A layer in a picture of two networks.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Width">Its channels or units, by which its bar is long.</param>
public sealed record LadderLayer(string Name, int Width);

/// <summary>Corresponding layers of two networks.</summary>
/// <param name="Name">What they are.</param>
/// <param name="Left">The first network's.</param>
/// <param name="Right">The second's.</param>
/// <param name="Pairs">Which belong together, in order, with what to say of the pair.</param>
public sealed record LadderGroup(string Name, ImmutableArray<LadderLayer> Left, ImmutableArray<LadderLayer> Right, ImmutableArray<(int Left, int Right, string Note)> Pairs);

/// <summary>Two networks side by side, from the input down, a bar for each layer and a line between those that belong together. A layer without a counterpart is hollow.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Left">What the first network is called.</param>
/// <param name="Right">What the second is called.</param>
/// <param name="Groups">The layers, group by group.</param>
public sealed record LayerLadder(string Title, string Left, string Right, ImmutableArray<LadderGroup> Groups) : ReportPart
{
    private const double LongestBar = 74, ShortestBar = 8, Between = 96, Head = 20, GroupHead = 19, GroupGap = 9, MostHeight = 900;

    private readonly double _left = Math.Max(Groups.SelectMany(g => g.Left).Select(TextWidth).DefaultIfEmpty(0).Max() + 12 + LongestBar, HeadingWidth(Left));
    private double _row;

    /// <summary>How wide it is drawn where there is room.</summary>
    internal double Width => RightEdge + Math.Max(LongestBar + 12 + Groups.SelectMany(g => g.Right).Select(TextWidth).DefaultIfEmpty(0).Max(), HeadingWidth(Right));

    private double RightEdge => _left + Between;

    internal override void Write(Markup html)
    {
        int rows = Groups.Sum(RowsOf);
        _row = Math.Clamp(MostHeight / Math.Max(1, rows), 6, 21);
        double widest = Math.Max(1, Groups.SelectMany(g => g.Left.Concat(g.Right)).Select(layer => layer.Width).DefaultIfEmpty(1).Max());
        double width = Width, height = Head + rows * _row + Groups.Length * (GroupHead + GroupGap);

        Figure(html, "ladder", Title);
        Drawing(html, width, height, $"Which of {Groups.Sum(g => g.Left.Length)} layers of {Left} belongs to which of {Groups.Sum(g => g.Right.Length)} of {Right}");
        Heading(html, Left, _left, "end");
        Heading(html, Right, RightEdge, "start");
        double y = Head;
        foreach (LadderGroup group in Groups)
        {
            Write(html, group, y, width, widest);
            y += GroupHead + RowsOf(group) * _row + GroupGap;
        }

        html.Close().Close();
    }

    private void Write(Markup html, LadderGroup group, double y, double width, double widest)
    {
        double height = RowsOf(group) * _row;
        html.Line().Empty("rect", ("x", "0"), ("y", Figures.At(y)), ("width", Figures.At(width)), ("height", Figures.At(GroupHead + height + 3)), ("rx", "6"), ("class", "band"));
        html.Element("text", group.Name, ("class", "name"), ("text-anchor", "middle"), ("x", Figures.At((_left + RightEdge) / 2)), ("y", Figures.At(y + 13)));
        y += GroupHead;
        foreach (var (left, right, note) in group.Pairs)
        {
            double from = y + PlaceOf(left, group.Left.Length, height), to = y + PlaceOf(right, group.Right.Length, height), bend = Between * 0.45;
            html.Open("path", ("class", "link"), ("d", $"M{Figures.At(_left + 3)} {Figures.At(from)} C{Figures.At(_left + bend)} {Figures.At(from)} {Figures.At(RightEdge - bend)} {Figures.At(to)} {Figures.At(RightEdge - 3)} {Figures.At(to)}"))
                .Element("title", $"{group.Left[left].Name} and {group.Right[right].Name}{(note == "" ? "" : $": {note}")}").Close();
        }

        Write(html, group.Left, [.. group.Pairs.Select(pair => pair.Left)], true, y, height, widest);
        Write(html, group.Right, [.. group.Pairs.Select(pair => pair.Right)], false, y, height, widest);
    }

    private void Write(Markup html, ImmutableArray<LadderLayer> layers, ImmutableArray<int> matched, bool isLeft, double y, double height, double widest)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            LadderLayer layer = layers[i];
            double at = y + PlaceOf(i, layers.Length, height), bar = ShortestBar + (LongestBar - ShortestBar) * Math.Sqrt(layer.Width / widest), thick = Math.Min(12, _row - 2);
            html.Empty(
                "rect", ("class", matched.Contains(i) ? "layer" : "layer alone"), ("x", Figures.At(isLeft ? _left - bar : RightEdge)), ("y", Figures.At(at - thick / 2)), ("width", Figures.At(bar)),
                ("height", Figures.At(thick)), ("rx", "2.5"), ("style", $"--c:var(--s{(isLeft ? 0 : 1)})"));
            if (_row < 11 && i > 0) continue;
            html.Open("text", ("class", matched.Contains(i) ? "" : "mark"), ("x", Figures.At(isLeft ? _left - bar - 6 : RightEdge + bar + 6)), ("y", Figures.At(at + 4)), ("text-anchor", isLeft ? "end" : "start")).Text(layer.Name)
                .Element("tspan", $" {layer.Width}", ("class", "mark")).Close();
        }
    }

    private static void Heading(Markup html, string text, double x, string anchor) =>
        html.Element("text", text, ("x", Figures.At(x)), ("y", "12"), ("text-anchor", anchor), ("style", "font-weight:600"));

    /// <summary>Layers of the smaller side are spread over the height of the larger one.</summary>
    private static double PlaceOf(int layer, int layers, double height) => (layer + 0.5) * height / layers;

    private static int RowsOf(LadderGroup group) => Math.Max(1, Math.Max(group.Left.Length, group.Right.Length));

    private static double HeadingWidth(string text) => 1.3 * Legend.WidthOf(text);

    private static double TextWidth(LadderLayer layer) => Legend.WidthOf($"{layer.Name} {layer.Width}");
}
