using Amalgam.Checkpoints.OnnxProtos;

namespace Amalgam.Checkpoints;

/// <summary>Which values of an ONNX graph someone reads, those of sub-graphs included, and as what.</summary>
internal sealed class OnnxUses
{
    /// <summary>Inputs, by operator, that are settings rather than weights, from the first on and up to the last.</summary>
    private static readonly Dictionary<string, (int First, int Last)> Settings = new()
    {
        ["Clip"] = (1, 2),
        ["Dropout"] = (1, 1),
        ["OneHot"] = (2, 2),
        ["Pad"] = (2, 2),
        ["Range"] = (0, 2),
        ["Resize"] = (1, 2),
        ["Upsample"] = (1, 1),
    };

    private readonly HashSet<string> _read = new(StringComparer.Ordinal), _weights = new(StringComparer.Ordinal), _statistics = new(StringComparer.Ordinal);

    public OnnxUses(GraphProto graph) => Read(graph);

    /// <summary>Someone reads the value.</summary>
    public bool Has(string name) => name.Length > 0 && _read.Contains(name);

    /// <summary>The value is read as a setting alone: bounds, scales, a ratio.</summary>
    public bool IsValue(string name) => !_weights.Contains(name);

    /// <summary>The value is a running statistic of batch normalisation.</summary>
    public bool IsStatistic(string name) => _statistics.Contains(name);

    private void Read(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
            {
                _read.Add(node.Input[i]);
                bool isSetting = Settings.TryGetValue(node.OpType, out var range) && i >= range.First && i <= range.Last;
                if (!isSetting) _weights.Add(node.Input[i]);
                if (node.OpType == "BatchNormalization" && i is 3 or 4) _statistics.Add(node.Input[i]);
            }

            foreach (AttributeProto attribute in node.Attribute)
            {
                if (attribute.G is not null) Read(attribute.G);
                foreach (GraphProto inner in attribute.Graphs) Read(inner);
            }
        }

        foreach (ValueInfoProto output in graph.Output)
        {
            _read.Add(output.Name);
            _weights.Add(output.Name);
        }
    }
}
