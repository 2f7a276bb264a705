using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Amalgam.Merging.Recipes;

/// <summary>Reads YAML that may be hostile: events are checked before a tree is built, so that neither depth nor aliases exhaust stack or memory.</summary>
internal sealed class RecipeYaml
{
    private const int Deepest = 64;
    private const int MostNodes = 200_000;

    private readonly string _file;
    private readonly Stack<Frame> _open = new();
    private readonly Dictionary<string, long> _sizes = [];
    private Mark _last = Mark.Empty;
    private long _nodes;

    private RecipeYaml(string file) => _file = file;

    /// <summary>A list or mapping whose end has not come.</summary>
    private sealed class Frame(string? anchor, long before, bool isMapping)
    {
        public string? Anchor => anchor;
        public long Before => before;
        public Dictionary<string, int>? Keys { get; } = isMapping ? [] : null;
        public bool AtKey { get; set; } = isMapping;
    }

    /// <summary>The roots of the documents.</summary>
    /// <exception cref="MergeException">The text is not YAML, or uses what recipes do not need: tags, merge keys, keys that are not words.</exception>
    public static ImmutableArray<RecipeNode> Documents(string text, string file)
    {
        var check = new RecipeYaml(file);
        var parser = new Parser(new StringReader(text));
        while (check.Try(parser.MoveNext)) check.Visit(parser.Current!);
        var stream = new YamlStream();
        check.Try(() => LoadInto(stream, text));
        return [.. stream.Documents.Select(d => new RecipeNode(d.RootNode, file))];
    }

    public static RecipePosition Position(string file, Mark mark) => new(file, (int)mark.Line, (int)mark.Column);

    private static bool LoadInto(YamlStream stream, string text)
    {
        stream.Load(new StringReader(text));
        return true;
    }

    /// <summary>Runs a step of YamlDotNet, whose scanner answers some damaged texts with exceptions that are not meant for users.</summary>
    private bool Try(Func<bool> step)
    {
        try
        {
            return step();
        }
        catch (YamlException e)
        {
            string noticed = e.End.Line > e.Start.Line ? $" (noticed at line {e.End.Line})" : "";
            Mark at = e.Start.Index == 0 ? _last : e.Start; // some of its errors carry no place
            throw new MergeException($"{Position(_file, at)}: not YAML that can be read: {e.Message}{noticed}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            throw new MergeException($"{Position(_file, _last)}: not YAML that can be read: something after this place is malformed", e);
        }
    }

    private void Visit(ParsingEvent e)
    {
        _last = e.Start;
        switch (e)
        {
            case DocumentStart: _sizes.Clear(); break;
            case AnchorAlias alias: VisitAlias(alias); break;
            case Scalar scalar: VisitScalar(scalar); break;
            case NodeEvent node: Open(node); break;
            case SequenceEnd or MappingEnd: Close(); break;
        }
    }

    private void VisitScalar(Scalar scalar)
    {
        CheckTag(scalar);
        if (_open.TryPeek(out Frame? frame) && frame is { AtKey: true, Keys: { } keys })
        {
            if (scalar.Value == "<<") throw Refuse(scalar, "merge keys (<<) are not read: write the keys out, or give an alias to the whole block");
            if (!keys.TryAdd(scalar.Value, (int)scalar.Start.Line))
                throw Refuse(scalar, $"key {Nearest.Quote(scalar.Value)} stands twice, first at line {keys[scalar.Value]}");
        }

        Count(scalar, 1);
        if (!scalar.Anchor.IsEmpty) _sizes[scalar.Anchor.Value] = 1;
        Next();
    }

    private void VisitAlias(AnchorAlias alias)
    {
        CheckKey(alias);
        string name = alias.Value.Value;
        if (_open.Any(f => f.Anchor == name)) throw Refuse(alias, $"alias {Nearest.Quote(name)} stands inside what it repeats");
        if (!_sizes.TryGetValue(name, out long size)) throw Refuse(alias, $"alias {Nearest.Quote(name)} repeats nothing: no such anchor before it");
        Count(alias, size);
        Next();
    }

    private void Open(NodeEvent node)
    {
        CheckTag(node);
        CheckKey(node);
        if (_open.Count == Deepest) throw Refuse(node, $"nested deeper than {Deepest} levels");
        _open.Push(new(node.Anchor.IsEmpty ? null : node.Anchor.Value, _nodes, node is MappingStart));
        Count(node, 1);
    }

    private void Close()
    {
        Frame frame = _open.Pop();
        if (frame.Anchor is { } anchor) _sizes[anchor] = _nodes - frame.Before;
        Next();
    }

    /// <summary>A node of the innermost mapping has ended: after a key comes a value.</summary>
    private void Next()
    {
        if (_open.TryPeek(out Frame? frame) && frame.Keys is not null) frame.AtKey = !frame.AtKey;
    }

    private void Count(ParsingEvent e, long nodes)
    {
        _nodes += nodes;
        if (_nodes > MostNodes) throw Refuse(e, $"more than {MostNodes} values, counting what aliases repeat");
    }

    private void CheckKey(ParsingEvent e)
    {
        if (_open.TryPeek(out Frame? frame) && frame.AtKey) throw Refuse(e, "a key must be a plain word, not a list, a mapping or an alias");
    }

    private void CheckTag(NodeEvent e)
    {
        if (!e.Tag.IsEmpty && !e.Tag.IsNonSpecific) throw Refuse(e, $"tags are not read, found {Nearest.Quote(e.Tag.Value)}: leave it out");
    }

    private MergeException Refuse(ParsingEvent e, string message) => Position(_file, e.Start).Refuse(message);
}
