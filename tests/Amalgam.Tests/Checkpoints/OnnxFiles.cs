using Amalgam.Checkpoints;
using Amalgam.Checkpoints.OnnxProtos;
using Google.Protobuf;
using Kind = Amalgam.Checkpoints.OnnxProtos.AttributeProto.Types.AttributeType;

namespace Amalgam.Tests.Checkpoints;

/// <summary>ONNX models made message by message, as other programs write them.</summary>
internal static class OnnxFiles
{
    /// <summary>A model of one graph.</summary>
    public static ModelProto Model(params NodeProto[] nodes)
    {
        ModelProto model = new() { IrVersion = 8, ProducerName = "test", ProducerVersion = "1.2", Graph = new() { Name = "g" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        model.Graph.Node.AddRange(nodes);
        return model;
    }

    /// <summary>A node; its inputs and outputs are lists with blanks between.</summary>
    public static NodeProto Node(string type, string inputs, string outputs, params (string Name, object Value)[] attributes)
    {
        NodeProto node = new() { OpType = type, Name = $"node of {outputs}" };
        node.Input.AddRange(inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        node.Output.AddRange(outputs.Split(' '));
        foreach (var (name, value) in attributes)
        {
            AttributeProto attribute = new() { Name = name };
            if (value is TensorProto tensor) (attribute.Type, attribute.T) = (Kind.Tensor, tensor);
            else if (value is GraphProto graph) (attribute.Type, attribute.G) = (Kind.Graph, graph);
            else if (value is float number) (attribute.Type, attribute.F) = (Kind.Float, number);
            else (attribute.Type, attribute.I) = (Kind.Int, Convert.ToInt64(value, null));
            node.Attribute.Add(attribute);
        }

        return node;
    }

    /// <summary>A tensor of floats as raw bytes.</summary>
    public static TensorProto Floats(string name, Shape shape, params float[] values) => Raw(name, DType.F32, shape, OnnxValues.Bytes(values, DType.F32));

    public static TensorProto Raw(string name, DType type, Shape shape, byte[] bytes)
    {
        TensorProto tensor = new() { Name = name, DataType = OnnxTypes.NumberOf(type), RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(shape.Sizes.ToArray());
        return tensor;
    }

    /// <summary>An input or output whose sizes are numbers, symbols, or null for unknown.</summary>
    public static ValueInfoProto Value(string name, params object?[] sizes) => Value(name, DType.F32, sizes);

    public static ValueInfoProto Value(string name, DType type, params object?[] sizes)
    {
        ValueInfoProto value = new() { Name = name, Type = new() { TensorType = new() { ElemType = OnnxTypes.NumberOf(type), Shape = new() } } };
        foreach (object? size in sizes)
            value.Type.TensorType.Shape.Dim.Add(size is null ? new TensorShapeProto.Types.Dimension() : size is string symbol ? new() { DimParam = symbol } : new() { DimValue = Convert.ToInt64(size, null) });
        return value;
    }

    public static string Write(this ModelProto model, string path)
    {
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    /// <summary>y = x W + b, with two parameters and a symbolic batch.</summary>
    public static ModelProto Small()
    {
        ModelProto model = Model(Node("Mul", "x w", "h"), Node("Add", "h b", "y"));
        model.Graph.Initializer.Add(Floats("w", new(3), 1, 2, 3));
        model.Graph.Initializer.Add(Floats("b", new(2, 3), 1, 2, 3, 4, 5, 6));
        model.Graph.Input.Add(Value("x", "N", 1, 3));
        model.Graph.Output.Add(Value("y", "N", 2, 3));
        return model;
    }
}
