using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Training;

/// <summary>A network of one hidden layer and its loss, of operations written for the tests: what trains here does not depend on the library's kernels.</summary>
internal static class NaiveNetwork
{
    /// <summary>Two inputs, tanh units, a score for each class.</summary>
    public static Graph Build(int hidden, int classes, int seed)
    {
        Random random = new(seed);
        Graph graph = new();
        Node x = graph.Input("point", new(1, 2));
        x = graph.Add(new Tanh(), graph.Add(new Product(), x, Parameter("fc1.weight", 2, hidden)) + Parameter("fc1.bias", hidden));
        graph.Output("scores", graph.Add(new Product(), x, Parameter("fc2.weight", hidden, classes)) + Parameter("fc2.bias", classes));
        return graph;

        Node Parameter(string name, params long[] sizes)
        {
            Tensor value = new(new(sizes));
            for (int i = 0; i < value.Count; i++) value.Span[i] = (float)(random.NextDouble() - 0.5);
            return graph.Parameter(name, value);
        }
    }

    /// <summary>Points of a ring around points of a disc, or inside out: no line parts the two classes.</summary>
    public static Dataset Rings(int samples, int seed) => new Points("rings", [.. Enumerable.Range(0, samples).Select(i => Ring(i, new Random(seed * 7919 + i)))]);

    private static (float X, float Y, int Class) Ring(int i, Random random)
    {
        double angle = random.NextDouble() * 2 * Math.PI, radius = i % 2 == 0 ? random.NextDouble() * 0.8 : 1.2 + random.NextDouble() * 0.8;
        return ((float)(radius * Math.Cos(angle)), (float)(radius * Math.Sin(angle)), i % 2);
    }

    public sealed class Points(string name, (float X, float Y, int Class)[] points) : Dataset
    {
        private readonly int[] _labels = [.. points.Select(p => p.Class)];

        public override string Name => name;

        public override int Count => points.Length;

        public override System.Collections.Immutable.ImmutableArray<Field> Fields { get; } = [new("point", new(2), DType.F32), new("label", default, DType.I64)];

        public override ReadOnlySpan<int> Labels => _labels;

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
            if (field == 1) y[0] = points[sample].Class;
            else (y[0], y[1]) = (points[sample].X, points[sample].Y);
        }
    }

    /// <summary>Cross-entropy of a softmax, and the prediction with it.</summary>
    public sealed record NaiveCrossEntropy() : Loss("label")
    {
        public override LossNodes Add(Node output)
        {
            Node truth = output.Graph.Input(Target, new(output.Shape[0]), DType.I64);
            return new(output.Graph.Add(new CrossEntropy(), output, truth), truth, output);
        }
    }

    private sealed record Tanh : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            for (int i = 0; i < y.Count; i++) y.Span[i] = MathF.Tanh(x[0].Span[i]);
        }

        public override Node?[] Gradient(Node y, Node dy) => [dy * (1 - y * y)];
    }

    private sealed record Product(bool TransposeA = false, bool TransposeB = false) : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => new(x[0].Shape[TransposeA ? 1 : 0], x[1].Shape[TransposeB ? 0 : 1]);

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Cores.For(y.Shape.Size(0), (This: this, a: x[0], b: x[1], y), static (s, i) =>
        {
            int columns = s.y.Shape.Size(1), inner = s.a.Shape.Size(s.This.TransposeA ? 0 : 1);
            for (int j = 0; j < columns; j++)
            {
                double sum = 0;
                for (int k = 0; k < inner; k++)
                {
                    double a = s.This.TransposeA ? s.a.Span[k * s.a.Shape.Size(1) + i] : s.a.Span[i * inner + k];
                    sum += a * (s.This.TransposeB ? s.b.Span[j * inner + k] : s.b.Span[k * columns + j]);
                }

                s.y.Span[i * columns + j] = (float)sum;
            }
        });

        public override Node?[] Gradient(Node y, Node dy) =>
            [y.Graph.Add(new Product(TransposeB: true), dy, y.Inputs[1]), y.Graph.Add(new Product(TransposeA: true), y.Inputs[0], dy)];
    }

    private sealed record CrossEntropy : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => default;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            int rows = x[0].Shape.Size(0), classes = x[0].Shape.Size(1);
            double sum = 0;
            for (int i = 0; i < rows; i++)
            {
                var row = x[0].Span.Slice(i * classes, classes);
                double all = 0;
                foreach (float score in row) all += Math.Exp(score);
                sum += Math.Log(all) - row[(int)x[1].Span[i]];
            }

            y.Span[0] = (float)(sum / rows);
        }

        public override Node?[] Gradient(Node y, Node dy) => [y.Graph.Add(new CrossEntropyGradient(), y.Inputs[0], y.Inputs[1]) * dy, null];
    }

    private sealed record CrossEntropyGradient : Op
    {
        public override Shape Infer(ReadOnlySpan<Node> x) => x[0].Shape;

        public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
        {
            int rows = x[0].Shape.Size(0), classes = x[0].Shape.Size(1);
            for (int i = 0; i < rows; i++)
            {
                var row = x[0].Span.Slice(i * classes, classes);
                double all = 0;
                foreach (float score in row) all += Math.Exp(score);
                for (int j = 0; j < classes; j++) y.Span[i * classes + j] = (float)((Math.Exp(row[j]) / all - (j == (int)x[1].Span[i] ? 1 : 0)) / rows);
            }
        }
    }
}
