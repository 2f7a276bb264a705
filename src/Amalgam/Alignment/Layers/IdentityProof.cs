using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>Why a part of a network, with the weights that it has, leaves its input alone to the last bit, or why it does not: read off its operations.</summary>
internal sealed class IdentityProof
{
    private readonly Node _x;
    private readonly bool[] _data;

    private IdentityProof(Node x, Node y)
    {
        _x = x;
        _data = new bool[y.Id + 1];
        for (int id = x.Id; id <= y.Id; id++) _data[id] = id == x.Id || x.Graph.Nodes[id].Inputs.Any(input => _data[input.Id]);
        Walk(y);
    }

    /// <summary>Why it is no identity for any input; null where it is one for some.</summary>
    public string? Refusal { get; private set; }

    /// <summary>An activation that leaves only some inputs alone, where the network's operations before it do not show that the input is such a one.</summary>
    public string? Doubt { get; private set; }

    /// <summary>Looks at what is between two values.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The result, made from it.</param>
    public static IdentityProof Of(Node x, Node y) => new(x, y);

    private void Walk(Node y)
    {
        ValueRange given = ValueRange.Of(_x);
        while (y != _x && Refusal is null)
        {
            switch (y.Op)
            {
                case Identity or Dropout:
                    y = y.Inputs[0];
                    break;
                case Conv or MatMul when IsIdentity(y):
                    y = y.Inputs.First(IsData);
                    break;
                case BatchNormalization norm when IsUnit(y, norm.Epsilon):
                    y = y.Inputs[0];
                    break;
                case Add:
                    y = Stream(y) ?? _x;
                    break;
                case Unary when ValueRange.KeptBy(y.Op) is { } kept:
                    if (!given.IsWithin(kept)) Doubt ??= $"{y.Op.Name} changes what is outside {kept}";
                    y = y.Inputs[0];
                    break;
                case Unary or PRelu:
                    Refusal = y.Op is Unary activation && IsIdempotent(activation)
                        ? $"identity layers are made with Relu, Clip and no activation alone, which leave a whole range of numbers as it is, and not with {y.Op.Name}"
                        : $"{y.Op.Name} of {y.Op.Name} is not {y.Op.Name}, so that no layer with it leaves its input alone; only Relu, Clip and no activation are such";
                    break;
                default:
                    Refusal = $"{y.Op.Name} does not leave its input alone, whatever the weights are";
                    break;
            }
        }
    }

    /// <summary>The summand that goes on; null, with the reason, where the other one is not zero.</summary>
    private Node? Stream(Node sum)
    {
        Node a = sum.Inputs[0], b = sum.Inputs[1];
        if (!IsData(a) || !IsData(b))
        {
            (Node value, Node bias) = IsData(a) ? (a, b) : (b, a);
            if (IsZero(bias)) return value;
            Refusal = $"{bias} is added to it";
            return null;
        }

        // The shortcut is what the other branch reads, directly or not.
        (Node stream, Node branch) = a != b && Reads(b, a) ? (a, b) : (b, a);
        if (stream == branch || !Reads(branch, stream)) Refusal = "its shortcut is no identity";
        else if (!IsZero(branch)) Refusal = $"the branch that ends in {branch.Op.Name} cannot be made zero";
        return Refusal is null ? stream : null;
    }

    private bool IsData(Node node) => node.Id < _data.Length && _data[node.Id];

    private bool Reads(Node node, Node value)
    {
        HashSet<Node> seen = [];
        Stack<Node> open = new([node]);
        while (open.TryPop(out Node? next))
        {
            if (next == value) return true;
            if (next.Id < value.Id || !seen.Add(next)) continue;
            foreach (Node input in next.Inputs.Where(IsData)) open.Push(input);
        }

        return false;
    }

    /// <summary>Whether a value is zero whatever the input is, as long as that is finite.</summary>
    private bool IsZero(Node node)
    {
        if (!IsData(node)) return Weight(node) is { } value && !value.Span.ContainsAnyExcept(0f);
        var x = node.Inputs;
        return node.Op switch
        {
            Conv => (IsZero(x[0]) || IsZero(x[1])) && (x.Length < 3 || IsZero(x[2])),
            MatMul or Mul => IsZero(x[0]) || IsZero(x[1]),
            Add or Sub or Concat => x.All(IsZero),
            BatchNormalization => IsZero(x[2]) && (IsZero(x[1]) || (IsZero(x[0]) && IsZero(x[3]))),
            RowNormalization or ChannelNormalization => (x.Length < 3 || IsZero(x[2])) && (IsZero(x[1]) || IsZero(x[0])),
            View or Transpose or Slice or MaxPool or AveragePool or GlobalAveragePool or Div or PRelu => IsZero(x[0]),
            Unary activation => IsZero(x[0]) && KeepsZero(activation),
            _ => false,
        };
    }

    /// <summary>Whether a product's weights are an identity: a unit matrix, or a delta in the middle of each channel's kernel, and no bias.</summary>
    private bool IsIdentity(Node product)
    {
        Node[] others = [.. product.Inputs.Where(input => !IsData(input))];
        if (others.Length != product.Inputs.Length - 1 || Weight(others[0]) is not { } w || others.Skip(1).Any(bias => !IsZero(bias))) return false;
        int made = w.Shape.Size(0), taken = w.Shape.Size(1), taps = w.Count / Math.Max(1, made * taken), ones = 0;
        for (int c = 0; c < made; c++) ones += w.Span[(c * taken + c % taken) * taps + taps / 2] == 1 ? 1 : 0;
        return ones == made && w.Count - w.Span.Count(0f) == made && product.Shape == product.Inputs.First(IsData).Shape;
    }

    private static bool KeepsZero(Unary activation)
    {
        float[] y = [0];
        activation.Map(y, y);
        return y[0] == 0;
    }

    /// <summary>Whether an activation that is applied twice does what it does once, as Abs and Round.</summary>
    private static bool IsIdempotent(Unary activation)
    {
        float[] once = [-2.7f, -1, -0.6f, -0.2f, 0, 0.3f, 0.5f, 1, 1.8f, 3.1f], twice = new float[once.Length];
        activation.Map(once, once);
        activation.Map(once, twice);
        return once.AsSpan().SequenceEqual(twice);
    }

    private static bool IsUnit(Node y, float epsilon)
    {
        bool Is(int input, float value) => Weight(y.Inputs[input]) is { } of && !of.Span.ContainsAnyExcept(value);
        return Is(1, 1) && Is(2, 0) && Is(3, 0) && Is(4, 1 - epsilon);
    }

    /// <summary>The elements of a parameter or constant, turned or not.</summary>
    private static Tensor? Weight(Node node)
    {
        while (node.Op is Identity or Transpose) node = node.Inputs[0];
        return node.Value;
    }
}
