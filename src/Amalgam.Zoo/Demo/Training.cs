namespace Amalgam.Zoo.Demo;

/// <summary>Gradient descent with momentum over the whole training set: v = 0.9 v - 0.1 dL/dw, w = w + v.</summary>
public static class Training
{
    /// <summary>Steps of the base's training, and of each fine-tuning.</summary>
    public const int Steps = 200;

    private const double Rate = 0.1, Momentum = 0.9;

    /// <summary>A network that has learnt the training samples, starting from another, which stays as it is.</summary>
    public static Network Run(Network start, Samples samples, int steps = Steps, CancellationToken cancel = default)
    {
        Network network = start.Copy(), gradient = start.Copy(), velocity = start.Copy();
        foreach (double[] tensor in velocity.Tensors) Array.Clear(tensor);
        for (int step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            network.Loss(samples, gradient);
            for (int t = 0; t < network.Tensors.Length; t++)
            {
                double[] w = network.Tensors[t], v = velocity.Tensors[t], d = gradient.Tensors[t];
                for (int i = 0; i < w.Length; i++)
                {
                    v[i] = Momentum * v[i] - Rate * d[i];
                    w[i] += v[i];
                }
            }
        }

        return network;
    }
}
