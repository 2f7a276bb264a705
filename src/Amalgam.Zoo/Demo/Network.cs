using Amalgam.Checkpoints;

namespace Amalgam.Zoo.Demo;

/// <summary>
/// softmax(V tanh(W x + b) + c): one hidden layer. Its tensors are named as PyTorch would name them. In double precision, with plain loops: it is small, and
/// its numbers do not depend on the machine's vector width.
/// </summary>
public sealed class Network
{
    /// <summary>Hidden units.</summary>
    public const int Hidden = 24;

    private const int Inputs = Problem.Inputs, Classes = Problem.Classes;

    private static readonly (string Name, Shape Shape)[] Layout =
        [("hidden.weight", new(Hidden, Inputs)), ("hidden.bias", new(Hidden)), ("head.weight", new(Classes, Hidden)), ("head.bias", new(Classes))];

    /// <param name="tensors">The values of its four tensors: hidden.weight, hidden.bias, head.weight, head.bias.</param>
    private Network(double[][] tensors) => Tensors = tensors;

    /// <summary>The values of hidden.weight, hidden.bias, head.weight and head.bias, row-major.</summary>
    internal double[][] Tensors { get; }

    /// <summary>A network that has learnt nothing: normal weights of variance one over the number of inputs of their layer, biases of zero.</summary>
    public static Network Random(long seed)
    {
        double[] Weights(int layer) => [.. Problem.Normal(seed, Layout[layer].Name, (int)Layout[layer].Shape.Count).Select(w => w / Math.Sqrt(Layout[layer].Shape[1]))];
        return new([Weights(0), new double[Hidden], Weights(2), new double[Classes]]);
    }

    /// <summary>An independent copy.</summary>
    public Network Copy() => new([.. Tensors.Select(t => (double[])t.Clone())]);

    /// <summary>Reads the network from a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is of another network.</exception>
    public static Network Open(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return new([.. Layout.Select(t => Read(checkpoint, t.Name, t.Shape))]);
    }

    /// <summary>Writes the network as a folder with a safetensors file of float32.</summary>
    /// <param name="path">A folder that does not exist yet.</param>
    public void Save(string path)
    {
        TensorSpec[] tensors = [.. Layout.Select(t => new TensorSpec(t.Name, DType.F32, t.Shape))];
        using CheckpointOutput output = CheckpointOutput.Create(path, tensors, new Dictionary<string, string> { ["format"] = "pt" }, new(), "demo");
        for (int i = 0; i < tensors.Length; i++)
        {
            byte[] bytes = new byte[tensors[i].ByteCount];
            DType.F32.Narrow([.. Tensors[i].Select(v => (float)v)], bytes);
            output.Write(tensors[i].Name, 0, bytes);
        }

        output.Commit();
    }

    /// <summary>Share of the samples whose class gets the highest score.</summary>
    public double Accuracy(Samples samples)
    {
        double[] h = new double[Hidden], p = new double[Classes];
        int right = 0;
        for (int s = 0; s < samples.Count; s++)
        {
            Forward(samples[s], h, p);
            if (p.AsSpan().IndexOf(p.Max()) == samples.Labels[s]) right++;
        }

        return (double)right / samples.Count;
    }

    /// <summary>Mean cross-entropy over the samples.</summary>
    /// <param name="samples">The samples.</param>
    /// <param name="gradient">Receives the derivatives by every parameter.</param>
    public double Loss(Samples samples, Network gradient)
    {
        foreach (double[] tensor in gradient.Tensors) Array.Clear(tensor);
        double[] h = new double[Hidden], p = new double[Classes], dh = new double[Hidden];
        double loss = 0;
        for (int s = 0; s < samples.Count; s++)
        {
            Forward(samples[s], h, p);
            loss -= Math.Log(p[samples.Labels[s]]) / samples.Count;
            p[samples.Labels[s]] -= 1;
            Backward(samples[s], h, p, dh, 1.0 / samples.Count, gradient);
        }

        return loss;
    }

    /// <summary>Hidden activations and class probabilities of one point.</summary>
    private void Forward(ReadOnlySpan<double> x, double[] h, double[] p)
    {
        double[] w = Tensors[0], b = Tensors[1], v = Tensors[2], c = Tensors[3];
        for (int i = 0; i < Hidden; i++)
        {
            double z = b[i];
            for (int j = 0; j < Inputs; j++) z += w[i * Inputs + j] * x[j];
            h[i] = Math.Tanh(z);
        }

        double highest = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < Classes; k++)
        {
            p[k] = c[k];
            for (int i = 0; i < Hidden; i++) p[k] += v[k * Hidden + i] * h[i];
            highest = Math.Max(highest, p[k]);
        }

        for (int k = 0; k < Classes; k++) sum += p[k] = Math.Exp(p[k] - highest);
        for (int k = 0; k < Classes; k++) p[k] /= sum;
    }

    /// <summary>Adds one point's share of the derivatives; <paramref name="dz"/> are those by the scores.</summary>
    private void Backward(ReadOnlySpan<double> x, double[] h, double[] dz, double[] dh, double share, Network gradient)
    {
        double[] v = Tensors[2], dw = gradient.Tensors[0], db = gradient.Tensors[1], dv = gradient.Tensors[2], dc = gradient.Tensors[3];
        Array.Clear(dh);
        for (int k = 0; k < Classes; k++)
        {
            double d = dz[k] * share;
            dc[k] += d;
            for (int i = 0; i < Hidden; i++)
            {
                dv[k * Hidden + i] += d * h[i];
                dh[i] += d * v[k * Hidden + i];
            }
        }

        for (int i = 0; i < Hidden; i++)
        {
            double d = dh[i] * (1 - h[i] * h[i]);
            db[i] += d;
            for (int j = 0; j < Inputs; j++) dw[i * Inputs + j] += d * x[j];
        }
    }

    private static double[] Read(Checkpoint checkpoint, string name, Shape shape)
    {
        if (!checkpoint.TryFind(name, out TensorEntry? tensor) || tensor.Shape != shape)
            throw new InvalidDataException($"{checkpoint.Path} is not of the demonstration's network: it has no tensor '{name}' of shape {shape}");
        byte[] bytes = new byte[tensor.ByteCount];
        tensor.Read(0, bytes);
        float[] values = new float[shape.Count];
        tensor.DType.Widen(bytes, values);
        return [.. values.Select(v => (double)v)];
    }
}
