using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>A part of a report: text, a table, a picture. A new kind of picture is one more record.</summary>
public abstract record ReportPart
{
    /// <summary>Appends the part.</summary>
    internal abstract void Write(Markup html);

    /// <summary>Begins a figure with its title, up to the next <see cref="Markup.Close"/>.</summary>
    private protected static Markup Figure(Markup html, string kind, string title)
    {
        html.Open("figure", ("class", kind));
        return title == "" ? html : html.Element("figcaption", title);
    }

    /// <summary>Begins a drawing of a width and height, up to the next <see cref="Markup.Close"/>.</summary>
    private protected static Markup Drawing(Markup html, double width, double height, string what) => html.Open(
        "svg",
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", $"0 0 {Figures.At(width)} {Figures.At(height)}"),
        ("style", $"max-width:{Figures.At(width)}px"),
        ("role", "img"),
        ("aria-label", what));

    /// <summary>An image as an address that a page can hold.</summary>
    private protected static string Address(int width, int height, ReadOnlySpan<byte> pixels) => "data:image/png;base64," + Convert.ToBase64String(Png.Encode(width, height, pixels));
}

/// <summary>A heading.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Level">2 for a chapter, 3 for a section of one.</param>
public sealed record Heading(string Text, int Level = 2) : ReportPart
{
    internal override void Write(Markup html) => html.Element($"h{Math.Clamp(Level, 2, 6)}", Text);
}

/// <summary>A paragraph.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Quiet">In small grey type: how something was measured, what to keep in mind.</param>
public sealed record Paragraph(string Text, bool Quiet = false) : ReportPart
{
    internal override void Write(Markup html) => html.Element("p", Text, ("class", Quiet ? "quiet" : "text"));
}

/// <summary>Command lines, or other text with its line breaks.</summary>
/// <param name="Text">The lines.</param>
public sealed record CodeText(string Text) : ReportPart
{
    internal override void Write(Markup html) => html.Open("pre").Element("code", Text).Close();
}

/// <summary>One number that a reader should see first.</summary>
/// <param name="Value">The number as it is to be read, such as <c>97.9%</c>.</param>
/// <param name="Label">What it is.</param>
/// <param name="Note">What to compare it with; may be empty.</param>
public sealed record KeyFigure(string Value, string Label, string Note = "");

/// <summary>The numbers that a reader should see first, side by side.</summary>
/// <param name="Figures">At best three to five.</param>
public sealed record KeyFigures(params ImmutableArray<KeyFigure> Figures) : ReportPart
{
    internal override void Write(Markup html)
    {
        html.Open("div", ("class", "key"));
        foreach (KeyFigure figure in Figures)
        {
            html.Open("div").Element("b", figure.Value).Element("span", figure.Label);
            if (figure.Note != "") html.Element("small", figure.Note);
            html.Close();
        }

        html.Close();
    }
}

/// <summary>Parts side by side where the page is wide enough, else below each other.</summary>
/// <param name="Parts">The parts.</param>
public sealed record SideBySide(params ImmutableArray<ReportPart> Parts) : ReportPart
{
    internal override void Write(Markup html)
    {
        html.Open("div", ("class", "side"));
        foreach (ReportPart part in Parts)
        {
            html.Open("div");
            part.Write(html);
            html.Close();
        }

        html.Close();
    }
}
