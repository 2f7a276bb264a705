using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Checkpoints;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>The arrays of an .npz file as samples: the first axis of each counts them, and its name is the field's. An array <c>label</c> of whole numbers gives the classes.</summary>
public sealed class ArraySet : Dataset
{
    private readonly Tensor[] _arrays;
    private readonly int[] _labels;

    private ArraySet(string name, ImmutableArray<Field> fields, Tensor[] arrays, int[] labels)
    {
        (Name, Fields, _arrays, _labels) = (name, fields, arrays, labels);
        Count = arrays[0].Shape.Size(0);
        int classes = labels.Length == 0 ? 0 : labels.Max() + 1;
        Classes = [.. Enumerable.Range(0, classes).Select(c => c.ToString(CultureInfo.InvariantCulture))];
    }

    public override string Name { get; }

    public override int Count { get; }

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    public override bool KnowsClasses => false;

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is no .npz file, or its arrays have different numbers of samples.</exception>
    public static ArraySet Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        List<Field> fields = [];
        List<Tensor> arrays = [];
        foreach (TensorEntry entry in checkpoint.Tensors)
        {
            if (entry.Shape.Rank == 0) throw new InvalidDataException($"{path}: the array '{entry.Name}' is one number, expected samples along its first axis");
            if (arrays.Count > 0 && entry.Shape[0] != arrays[0].Shape[0])
                throw new InvalidDataException($"{path}: the array '{entry.Name}' {entry.Shape} has {entry.Shape[0]} samples, '{fields[0].Name}' has {arrays[0].Shape[0]}");
            if (!entry.DType.IsReadable) throw new InvalidDataException($"{path}: the array '{entry.Name}' has elements of type {entry.DType.Name}, which are no numbers here");
            Tensor values = new(entry.Shape);
            GraphWeights.Read(entry, values);
            arrays.Add(values);
            fields.Add(new(entry.Name, new(entry.Shape.Sizes[1..]), entry.DType.IsFloat ? DType.F32 : DType.I64));
        }

        if (arrays.Count == 0) throw new InvalidDataException($"{path} has no arrays");
        int label = fields.FindIndex(f => f is { Name: "label", Shape.Rank: 0 });
        return new(path, [.. fields], [.. arrays], label < 0 ? [] : ReadLabels(path, arrays[label]));
    }

    public override void Read(int field, int sample, Draw draw, Span<float> y) => _arrays[field].Span.Slice(sample * y.Length, y.Length).CopyTo(y);

    private static int[] ReadLabels(string path, Tensor array)
    {
        const int Most = 1 << 20;
        int[] labels = new int[array.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            float value = array.Span[i];
            labels[i] = value is >= 0 and < Most && value == MathF.Floor(value) ? (int)value : throw new InvalidDataException($"{path}: label {i} is {value}, expected a class number from 0 on");
        }

        return labels;
    }
}
